"""Rows that say who asked, who decided, who is whose: each as the sealed trail tells it last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from core.verify.finding import Check

# An alert that nobody closed would stand closed for ever, and its order with it. The order of the trail's rows is that
# of their booking: numbers are dealt out to sessions by the fifty.
_ALERTS: Final = """
select a.id, format('alert %s of order %s is %s (%s, %s); the audit trail says %s', a.ref, o.ref, a.state,
       coalesce(nullif(a.outcome, ''), 'no outcome'), coalesce(nullif(a.disposition, ''), 'no end'),
       case when t.subject is null then 'nothing of it'
            else format('%s (%s, %s) by %s', t.action, t.outcome, t.disposition, t.actor) end)
  from alert a left join orders o on o.id = a.order_id
  left join (select distinct on (w.subject) w.subject, w.action, w.actor, w.details ->> 'outcome' as outcome,
                    w.details ->> 'disposition' as disposition from audit w
              where w.action in ('alert.close', 'alert.decide', 'alert.reopen')
              order by w.subject, w.booked_at desc, w.id desc) t on t.subject = a.ref
 where a.state <> case t.action when 'alert.close' then 'closed' when 'alert.decide' then 'pending_second'
                                else 'open' end
    or (a.state <> 'open' and (a.outcome, a.disposition) is distinct from (t.outcome, t.disposition))
    or (a.state = 'closed' and a.closed_by is distinct from t.actor)
"""

_ASKED: Final = """
select a.id, format('request %s (%s of %s) was asked for by %s; the audit trail says %s', a.ref, a.kind, a.subject,
       a.requested_by, coalesce(case when t.digest <> d.digest then 'for something else' else t.said end, 'nothing'))
  from approval a
 cross join lateral (select encode(sha256(convert_to(a.payload::text, 'UTF8')), 'hex') as digest) d
  left join (select w.subject, count(*) as told, min(w.actor) as actor, min(w.reason) as reason,
                    min(w.details ->> 'kind') as kind, min(w.details ->> 'subject') as about,
                    min(w.details ->> 'digest') as digest,
                    string_agg(format('%s of %s by %s', w.details ->> 'kind', w.details ->> 'subject', w.actor), ', ')
                        as said
               from audit w where w.action = 'approval.request' group by 1) t on t.subject = a.ref
 where (t.told = 1 and (t.actor, t.kind, t.about, t.reason) = (a.requested_by, a.kind, a.subject, a.reason)
        and coalesce(t.digest, d.digest) = d.digest) is not true
"""

# What was asked for, where the trail keeps it too: amounts and arrivals, outcomes, holds. (Requests of before the trail
# had a digest of all of it have nothing else.) Its words stay unsaid here: they may be about people.
_PAYLOADS: Final = """
select a.id, format('request %s (%s) is not for what was asked for by the audit trail (%s of %s)', a.ref, a.kind,
       w.action, w.subject)
  from audit w join approval a on a.ref = w.details ->> 'request'
 where w.action in ('reserve.ask_top_up', 'alert.decide', 'dispute.decide', 'commission.ask_lift')
   and case w.action
       when 'reserve.ask_top_up' then
            (a.payload ->> 'acceptor', a.payload -> 'units', a.payload ->> 'key')
            is distinct from (w.subject, w.details -> 'usdt_units', w.details ->> 'key')
       when 'alert.decide' then
            (a.payload ->> 'outcome', a.payload ->> 'disposition', a.payload -> 'alerts' ? w.subject)
            is distinct from (w.details ->> 'outcome', w.details ->> 'disposition', true)
       when 'dispute.decide' then
            (a.payload ->> 'outcome', a.subject) is distinct from (w.details ->> 'outcome', w.subject)
       else (a.payload ->> 'hold', a.payload ->> 'agent') is distinct from (w.details ->> 'hold', w.subject) end
"""

_OUTCOMES: Final = """
select h.id, format('hold %s of order %s ended as %s, and the audit trail tells %s', h.ref, o.ref,
       coalesce(nullif(h.outcome, ''), 'nothing'), case when t.refunded then 'a refund' else 'no refund' end)
  from hold h join orders o on o.id = h.order_id
 cross join lateral (select exists (select 1 from audit w where w.order_id = h.order_id and w.action = 'order.refund'
                                       and w.at = h.closed_at) as refunded) t
 where h.closed_at is not null and h.outcome <> case when t.refunded then 'refused' else 'released' end
"""

_RULES: Final = """
select r.id, format('version %s of the rules is %s, drafted by %s and approved by %s; the audit trail says %s, %s and'
       ' %s', r.version, r.state, r.requested_by, coalesce(r.approved_by, 'nobody'), s.state,
       coalesce(d.actor, 'nobody'), coalesce(t.actor, 'nobody') || p.words)
  from ruleset r
  left join (select w.subject, min(w.actor) as actor, min(w.details ->> 'digest') as digest from audit w
              where w.action = 'ruleset.draft' group by 1) d on d.subject = r.ref
 cross join lateral (select case when d.digest <> encode(sha256(convert_to(r.params::text, 'UTF8')), 'hex')
                                 then ', of other parameters' else '' end as words) p
  left join (select w.subject, w.actor, row_number() over (order by w.booked_at desc, w.id desc) as place from audit w
              where w.action = 'ruleset.activate') t on t.subject = r.ref
 cross join lateral (select case when t.place = 1 then 'active' when t.place > 1 then 'retired'
                                 when d.actor is not null then 'draft'
                                 when exists (select 1 from audit w where w.action = 'ruleset.activate') then 'retired'
                                 else 'active' end as state) s
 where r.state <> s.state or p.words <> '' or r.approved_by is distinct from t.actor
    or r.requested_by <> coalesce(d.actor, case when r.version = 1 then 'system' else '' end)
"""

_DESIGNATED: Final = """
select p.id, format('%s %s is paid out to bank account %s; the audit trail says %s', p.kind, p.code, b.ref, t.subject)
  from withdrawal_account w join party p on p.id = w.party_id join bank_account b on b.id = w.bank_account_id
  join (select distinct on (a.details ->> 'party') a.details ->> 'party' as party, a.subject from audit a
         where a.action in ('bank_account.add', 'bank_account.designate')
         order by a.details ->> 'party', a.action = 'bank_account.designate' desc,
                  case a.action when 'bank_account.designate' then a.booked_at end desc, a.booked_at, a.id) t
    on t.party = p.ref
 where b.ref <> t.subject
"""

_KEYS: Final = """
select k.id, format('key %s is of %s and has %s; the audit trail says %s of %s and %s', k.ref, p.ref,
       case when k.ended_at is null then 'not ended' else 'ended' end, coalesce(t.told, 0), coalesce(t.party, 'nobody'),
       case when t.ended then 'ended' else 'not ended' end)
  from api_key k left join party p on p.id = k.party_id
  left join (select w.subject, count(*) filter (where w.action = 'key.create') as told,
                    min(w.details ->> 'party') as party, bool_or(w.action = 'key.end') as ended
               from audit w where w.action in ('key.create', 'key.end') group by 1) t on t.subject = k.ref
 where (t.told = 1 and t.party = p.ref and t.ended = (k.ended_at is not null)) is not true
"""

# Users are the portal's, and a database without a portal has none. A user that nobody was told of is a demo's.
_USERS: Final = """
select u.id, format('user %s is %s of %s; the audit trail says %s of %s', u.username, coalesce(u.roles, 'nothing'),
       coalesce(p.ref, 'nobody'), t.role, coalesce(nullif(t.party, ''), 'nobody'))
  from (select u.id, u.username, string_agg(r.name, ', ') as roles from ab_user u
          left join ab_user_role x on x.user_id = u.id left join ab_role r on r.id = x.role_id group by 1, 2) u
  join (select distinct on (w.subject) w.subject, w.details ->> 'party' as party,
               coalesce(w.details ->> 'to', w.details ->> 'role') as role
          from audit w where w.action in ('user.created', 'user.role_changed')
         order by w.subject, w.booked_at desc, w.id desc) t on t.subject = u.username
  left join user_party x on x.user_id = u.id left join party p on p.id = x.party_id
 where u.roles is distinct from t.role
    or case when coalesce(t.party, '') = '' then p.id is not null else (t.party in (p.ref, p.code)) is not true end
"""

_REFERRED: Final = """
select p.id, format('%s %s stands under %s; the audit trail says %s', p.kind, p.code, coalesce(u.ref, 'nobody'),
       coalesce(t.under, 'nobody'))
  from (select party_id, parent_id as under from agent union all select party_id, agent_id from merchant
        union all select party_id, agent_id from acceptor) x
  join party p on p.id = x.party_id left join party u on u.id = x.under
  join (select distinct on (w.subject) w.subject,
               w.details ->> case w.action when 'agent.create' then 'parent' when 'agent.reparent' then 'to'
                                           else 'agent' end as under
          from audit w where w.action in ('agent.create', 'agent.reparent', 'merchant.create', 'acceptor.create')
         order by w.subject, w.booked_at desc, w.id desc) t on t.subject = p.ref
 where u.ref is distinct from t.under
"""

# Everybody's place in the tree again, from the parents alone; a circle of parents ends where no tree of ours would.
_TREE: Final = """
with recursive up (descendant_id, ancestor_id, distance) as (
    select party_id, party_id, 0 from agent
    union all
    select u.descendant_id, g.parent_id, u.distance + 1 from up u join agent g on g.party_id = u.ancestor_id
     where g.parent_id is not null and u.distance < 20)
select coalesce(u.descendant_id, c.descendant_id), format('agent #%s stands %s below #%s by the tree, %s by the'
       ' parents', coalesce(u.descendant_id, c.descendant_id), coalesce(c.distance::text, 'nowhere'),
       coalesce(u.ancestor_id, c.ancestor_id), coalesce(u.distance::text, 'nowhere'))
  from up u full join agent_closure c on c.ancestor_id = u.ancestor_id and c.descendant_id = u.descendant_id
 where u.distance is distinct from c.distance
"""


def alerts_are_as_told(check: Check) -> None:
    """Add alerts (I16) that were decided otherwise than the trail says, or by nobody."""
    check.none(_ALERTS)


def requests_are_as_told(check: Check) -> None:
    """Add requests, holds and versions of the rules (I15) that the trail gives to another, or another end."""
    for question in (_ASKED, _PAYLOADS, _OUTCOMES, _RULES):
        check.none(question)


def designated_as_told(check: Check) -> None:
    """Add parties (I11) that are paid out to another account than the last one designated, or the first one added."""
    check.none(_DESIGNATED)


def belonging_as_told(check: Check) -> None:
    """Add keys and users (I16) of another party or role than the trail gives them."""
    check.none(_KEYS)
    if check.tx.call("select to_regclass('ab_user') is not null"):
        check.none(_USERS)


def the_tree_is_as_told(check: Check) -> None:
    """Add agents, merchants and acceptors (I10) that stand under another than the trail says: commissions follow it."""
    check.none(_REFERRED)
    check.none(_TREE)
