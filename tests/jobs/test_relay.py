"""The relay carries every fact once, in the order transactions end, and may be stopped anywhere."""

from __future__ import annotations

import psycopg
import pytest

from core import outbox
from core.db import reading, transaction
from jobs import relay
from tests import beside

pytestmark = pytest.mark.usefixtures("database")


def tell(topic: str, subject: str = "ord_01JD3Q8Z7K4M2N5P") -> None:
    with transaction() as tx:
        outbox.tell(tx, topic, subject)


def unsent() -> list[str]:
    with reading() as tx:
        return [
            topic
            for (topic,) in tx.rows(
                "select b.topic from outbox b join v_outbox v using (id) where v.sent_at is null order by id"
            )
        ]


def test_facts_become_the_jobs_they_ask_for_each_once():
    for _ in range(3):
        tell("order.claim_paid")
    tell("reserve.topped_up", "acc_01JD3Q8Z7K4M2N5P")
    tell("export.requested", "exp_01JD3Q8Z7K4M2N5P")
    tell("export.requested", "exp_01JD3Q8Z7K4M2N5Q")
    tell("merchant.created", "mer_01JD3Q8Z7K4M2N5P")
    sent = []

    batch = relay.carry(lambda *job: sent.append(job))

    assert batch.rows == 7
    assert sorted(sent) == [
        ("analytics.rollup",),
        ("exports.run", "exp_01JD3Q8Z7K4M2N5P"),
        ("exports.run", "exp_01JD3Q8Z7K4M2N5Q"),
        ("orders.match",),
    ]
    assert unsent() == []
    assert relay.carry(sent.append).rows == 0


def test_a_relay_that_is_stopped_carries_all_of_it_again():
    tell("order.open")

    def away(*_job):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        relay.carry(away)

    assert unsent() == ["order.open"]
    assert relay.carry(lambda *_: None).rows == 1


def test_a_fact_whose_transaction_ends_late_is_not_skipped(database):
    tell("order.claim_paid")
    with psycopg.connect(database) as slow:
        slow.execute(
            "insert into notice (topic, subject, happened_at) values ('order.open', 'ord_x', now())"
        )  # begun, not yet ended
        tell("order.confirm")
        assert relay.carry(lambda *_: None).rows == 1  # the later one waits for the one that began before it
        slow.commit()

    assert relay.carry(lambda *_: None).rows == 2
    assert unsent() == []


def test_two_relays_at_once_take_turns():
    for _ in range(20):
        tell("order.open")
    rows = beside.together(4, lambda: relay.carry(lambda *_: None).rows)

    assert sorted(rows) == [0, 0, 0, 20]


def test_after_a_restore_that_counts_transactions_anew_nothing_stays_behind():
    with transaction() as tx:
        tx.run("update watermark set done_to = '999999999999' where name = 'relay'")
    tell("order.open")

    assert relay.carry(lambda *_: None).rows == 1
