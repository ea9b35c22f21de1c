"""Versions of fee schedules and plans: each is as the trail tells of it, none is gone, what was withdrawn is nothing's.

A withdrawn one was withdrawn in time, by one of the two who agreed on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from core.verify.finding import Check

_BOTH: Final = """
select f.id, 'fee_schedule' as kind, f.code, f.version, f.terms, f.effective_from, f.requested_by, f.approved_by,
       f.withdrawn_at, f.withdrawn_by, f.withdrawn_why from fee_schedule f
 union all
select v.id, 'commission_plan', p.code, v.version, v.terms, v.effective_from, v.requested_by, v.approved_by,
       v.withdrawn_at, v.withdrawn_by, v.withdrawn_why from plan_version v join plan p on p.id = v.plan_id
"""


def nothing_has_one(check: Check) -> None:
    """Add to I10 quotes, orders and commission lines of a version that was withdrawn, and late withdrawals."""
    check.none(
        "select q.id, format('quote %s was priced by version %s of schedule %s, which was withdrawn', q.ref, s.version,"
        " s.code) from fee_schedule s join quote q on q.fee_schedule_id = s.id where s.withdrawn_at is not null"
    )
    check.none(
        "select o.id, format('order %s took version %s of schedule %s, which was withdrawn', o.ref, s.version, s.code)"
        " from fee_schedule s join orders o on o.fee_schedule_id = s.id where s.withdrawn_at is not null"
    )
    check.none(
        "select o.id, format('order %s: agent %s was promised by version %s of its plan, which was withdrawn', o.ref,"
        " h.share ->> 'agent_ref', v.version)"
        " from orders o cross join lateral jsonb_array_elements(o.split) as h (share)"
        " join plan_version v on v.id = (h.share ->> 'plan_version_id')::bigint where v.withdrawn_at is not null"
    )
    check.none(
        "select c.id, format('commission line %s is of version %s of its plan, which was withdrawn', c.ref, v.version)"
        " from plan_version v join commission_line c on c.plan_version_id = v.id where v.withdrawn_at is not null"
    )
    check.none(
        "select x.id, format('version %s of %s, begun at %s, was withdrawn at %s: too late for everybody to see',"  # noqa: S608 - our own words
        f" x.version, x.code, x.effective_from, x.withdrawn_at) from ({_BOTH}) x"
        " where x.effective_from - x.withdrawn_at < interval '5 seconds'"
    )


def what_was_approved_is_there(check: Check) -> None:
    """Add to I15 versions that the trail tells the approval or the withdrawal of, and that are gone."""
    check.none(
        "select w.id, format('version %s of %s is gone, the audit trail tells its %s',"  # noqa: S608 - our own words
        " w.details ->> 'version', w.subject,"
        " case when right(w.action, 7) = 'approve' then 'approval' else 'withdrawal' end)"
        " from audit w where w.action in ('fee_schedule.approve', 'fee_schedule.withdraw_version',"
        " 'commission_plan.approve', 'commission_plan.withdraw_version')"
        f" and not exists (select 1 from ({_BOTH}) x where x.kind || '.' = left(w.action, length(x.kind) + 1)"
        "   and x.code = w.subject and x.version = (w.details ->> 'version')::int)"
    )


def what_was_approved_is_the_same(check: Check) -> None:
    """Add to I15 versions of other terms, or another beginning, than the trail tells the approval of."""
    check.none(
        "select x.id, format('version %s of %s, begun at %s, is not what the audit trail approves, from %s',"  # noqa: S608 - our own words
        " x.version, x.code, x.effective_from, w.details ->> 'from')"
        f" from ({_BOTH}) x join audit w on w.action = x.kind || '.approve' and w.subject = x.code"
        "   and (w.details ->> 'version')::int = x.version"
        " where x.effective_from <> (w.details ->> 'from')::timestamptz"
        "    or w.details ->> 'digest' <> encode(sha256(convert_to(x.terms::text, 'UTF8')), 'hex')"
    )


def one_of_its_two_said_so(check: Check) -> None:
    """Add to I15 versions withdrawn by neither who proposed nor who approved them, or otherwise than the trail says."""
    check.none(
        "select x.id, format('version %s of %s was withdrawn by user %s, who neither proposed nor approved it',"  # noqa: S608 - our own words
        f" x.version, x.code, coalesce(x.withdrawn_by::text, 'nobody')) from ({_BOTH}) x"
        " where x.withdrawn_at is not null and (x.withdrawn_by in (x.requested_by, x.approved_by)) is not true"
    )
    check.none(
        "select x.id, format('version %s of %s is %s, the audit trail tells %s withdrawals of it, %s as it is stored',"  # noqa: S608 - our own words
        " x.version, x.code, case when x.withdrawn_at is null then 'not withdrawn' else 'withdrawn' end, t.told,"
        " t.same)"
        f" from ({_BOTH}) x cross join lateral (select count(*) as told, count(*) filter (where"
        "   w.user_id = x.withdrawn_by and w.reason = x.withdrawn_why"
        "   and (w.details ->> 'at')::timestamptz = x.withdrawn_at) as same"
        "  from audit w where w.action = x.kind || '.withdraw_version' and w.subject = x.code"
        "   and (w.details ->> 'version')::int = x.version) t"
        " where t.told <> (x.withdrawn_at is not null)::int or t.same <> t.told"
    )
