"""Invariant of figures: what the dashboards read equals the feed, and the feed equals the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.verify.finding import Check, Finding

if TYPE_CHECKING:
    from core.db import Transaction

# (table, watermark, the function that counts everything again, how a row is named)
_ROLLUPS = (
    (
        "rollup_hour",
        "rollup",
        "rollup_hours",
        "r.hour::text || ' ' || r.currency || ' merchant #' || r.merchant_id",
    ),
    (
        "rollup_commission_day",
        "rollup_commission",
        "rollup_commission_days",
        "r.day::text || ' agent #' || r.agent_id",
    ),
    (
        "rollup_commission_path_day",
        "rollup_commission",
        "rollup_commission_paths",
        "r.day::text || ' agents ' || r.agents::text",
    ),
    (
        "rollup_alert_day",
        "rollup_alert",
        "rollup_alert_days",
        "r.day::text || ' rule ' || r.rule || ' ' || r.currency",
    ),
    (
        "rollup_alert_order",
        "rollup_alert",
        "rollup_alert_orders",
        "r.days::text || ' rules ' || r.rules::text || ' ' || r.currency",
    ),
)

# What commissions were earned on, beside what left escrow in the releases of the orders that paid them.
_BASES = """
select 0, format('day %s: commissions were earned on %s units of %s orders, the ledger released %s of %s',
       coalesce(r.day, l.day), coalesce(r.units, 0), coalesce(r.orders, 0), coalesce(l.units, 0), coalesce(l.orders, 0))
  from (select day, sum(base_units) as units, sum(orders) as orders from rollup_commission_path_day group by day) r
  full join (select c.day, sum(-x.units) as units, count(distinct e.order_id) as orders
               from (select order_id, (min(accrued_at) at time zone 'UTC')::date as day from commission_line
                      where xid < (select done_to from watermark where name = 'rollup_commission')
                      group by order_id) c
               join journal_entry e on e.order_id = c.order_id and e.reason = 'escrow_release'
               join journal_leg x on x.entry_id = e.id and x.units < 0
              group by c.day) l on l.day = r.day
 where (r.units, r.orders) is distinct from (l.units, l.orders)
"""


def rollups(tx: Transaction) -> Finding:
    """I13: each rollup row is what counting the feed again gives; volume and commission base are the ledger's."""
    check = Check(tx, "I13", "rollups = ledger")
    for table, mark, function, name in _ROLLUPS:
        check.counted(f"select count(*) from {table}")  # noqa: S608 - our own words
        check.none(
            f"with again as materialized (select * from {function}('0',"  # noqa: S608 - our own words
            f" (select done_to from watermark where name = '{mark}'))),"
            f" wrong as (select r as place, {name} || ': not what the feed adds up to' as words"
            f" from (select * from {table} except select * from again) r),"
            f" missing as (select r as place, {name} || ': the feed adds up to another row' as words"
            f" from (select * from again except select * from {table}) r),"
            " broken as (select * from wrong union all select * from missing)"
            f" select row_number() over (order by place), '{table} ' || words from broken",
        )
    check.none(
        "select 0, format('hour %s: rollups say %s units completed and %s fees, the ledger %s and %s',"
        "        coalesce(r.hour, l.hour), coalesce(r.usdt, 0), coalesce(r.fee, 0), coalesce(l.usdt, 0),"
        "        coalesce(l.fee, 0))"
        " from (select hour, sum(usdt_units) as usdt, sum(fee_units) as fee from rollup_hour group by hour"
        "        having sum(usdt_units) <> 0) r"
        " full join (select date_trunc('hour', e.happened_at, 'UTC') as hour,"
        "                   -sum(l.units) filter (where l.units < 0) as usdt,"
        "                   sum(l.units) filter (where a.kind in ('agent', 'house')) as fee"
        "              from journal_entry e join journal_leg l on l.entry_id = e.id"
        "              join ledger_account a on a.id = l.account_id"
        "             where e.reason = 'escrow_release'"
        "               and e.xid < (select done_to from watermark where name = 'rollup') group by 1) l"
        "   on l.hour = r.hour"
        " where coalesce(r.usdt, 0) <> coalesce(l.usdt, 0) or coalesce(r.fee, 0) <> coalesce(l.fee, 0)",
    )
    check.none(_BASES)
    return check.finding()
