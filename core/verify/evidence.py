"""What decisions rest on is still there: evaluations, alerts, facts, holds and who decided a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.verify.finding import Check


def holds_are_there(check: Check) -> None:
    """Add postings (I3) that opened a hold of which no row tells, open or closed."""
    check.none(
        "select e.id, format('entry %s (%s) of %s opened a hold that is not there', e.ref, e.key,"
        " coalesce(o.ref, 'no order'))"
        " from journal_entry e left join orders o on o.id = e.order_id"
        " where e.reason = 'hold_open' and not exists (select 1 from hold h where h.order_id = e.order_id"
        "                                               and h.ref || ':open' = e.key)",
    )


def gates_have_looked(check: Check) -> None:
    """Add orders (I16) without the evaluation of a gate they went through, and alerts that differ from theirs."""
    check.none(
        "select o.id, format('order %s went through gate %s, whose evaluation is not there', o.ref, g.gate)"
        " from orders o"
        " left join (select order_id, bool_or(gate = 'G1') as at_open, bool_or(gate = 'G3') as at_release"
        "              from evaluation group by order_id) v on v.order_id = o.id"
        " cross join lateral (values ('G1', coalesce(v.at_open, false), true),"
        "                            ('G3', coalesce(v.at_release, false), o.state in ('completed', 'reversed')))"
        "       as g (gate, there, due)"
        " where o.source <> 'import' and g.due and not g.there",
    )
    check.none(
        "select a.id, format('alert %s (order %s, %s) is of a %s, score %s; its evaluation says %s, %s, and %s',"
        " a.ref, o.ref, a.rule, a.verdict, a.score, coalesce(e.verdict::text, 'nothing'),"
        " coalesce(e.score::text, 'none'), case when e.named then 'names the rule' else 'does not name the rule' end)"
        " from alert a join orders o on o.id = a.order_id left join lateral (select v.verdict, v.score, exists ("
        "        select 1 from json_array_elements(v.reasons) r where r ->> 'code' = a.rule) as named"
        "   from evaluation v where v.id = a.evaluation_id) e on true"
        " where e.verdict is null or e.verdict <> a.verdict or e.score <> a.score or not e.named",
    )
    check.none(
        "select h.id, format('hold %s of order %s: no evaluation of gate G3 says hold or refuse', h.ref, o.ref)"
        " from hold h join orders o on o.id = h.order_id where not exists (select 1 from evaluation v"
        "  where v.order_id = h.order_id and v.gate = 'G3' and v.verdict in ('hold', 'refuse'))",
    )


def facts_are_known(check: Check) -> None:
    """Add orders (I16) whose opening or completion the risk rules do not know, or know of somebody else."""
    check.none(
        "select o.id, format('order %s: the facts tell %s %s times of its customer and merchant, not once', o.ref,"
        " t.kind, t.told) from orders o left join (select f.order_ref, f.customer_id, f.merchant_id,"
        "        count(*) filter (where f.kind = 'order_opened') as opened,"
        "        count(*) filter (where f.kind = 'order_completed') as completed"
        "   from risk_fact f where f.kind in ('order_opened', 'order_completed') group by 1, 2, 3) f"
        "   on f.order_ref = o.ref and f.customer_id = o.customer_id and f.merchant_id = o.merchant_id"
        " cross join lateral (values ('order_opened', coalesce(f.opened, 0), 1),"
        "    ('order_completed', coalesce(f.completed, 0), (o.completed_at is not null)::int)) as t (kind, told, due)"
        " where t.told <> t.due",
    )


def deciders_are_told(check: Check) -> None:
    """Add requests (I15) that were decided by another, or otherwise, than the audit trail says."""
    check.none(
        "select a.id, format('request %s (%s) is %s by %s, the audit trail says %s', a.ref, a.kind, a.state,"
        " coalesce(a.decided_by, 'nobody'), coalesce(t.said, 'nothing'))"
        " from approval a left join lateral (select string_agg(w.action || ' by ' || w.actor, ', ') as said,"
        "        count(*) as told, bool_and(w.actor = a.decided_by and w.action = case a.state"
        "          when 'approved' then 'approval.approve' when 'refused' then 'approval.refuse'"
        "          when 'withdrawn' then 'approval.withdraw' end) as same"
        "   from audit w where w.subject = a.ref and w.action in ('approval.approve', 'approval.refuse',"
        "        'approval.withdraw')) t on true"
        " where case when a.state = 'waiting' then t.told <> 0 else t.told <> 1 or not coalesce(t.same, false) end",
    )
