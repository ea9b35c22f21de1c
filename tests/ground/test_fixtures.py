"""What tests stand on: a migrated database and a Redis of their own, empty each time."""

from __future__ import annotations

import psycopg
import pytest
import redis

from core.db import reading, transaction


@pytest.mark.parametrize("round_", [1, 2])
def test_each_test_gets_an_empty_migrated_database(database, round_):
    with reading() as tx:
        assert tx.call("SELECT count(*) FROM v_orders") == 0
        assert tx.call("SELECT count(*) FROM pg_tables WHERE tablename = 'leftover'") == 0
    with transaction() as tx:
        tx.run("CREATE TABLE leftover ()")
    with psycopg.connect(database) as other:
        assert other.execute("SELECT count(*) FROM leftover").fetchone() == (0,)


@pytest.mark.parametrize("round_", [1, 2])
def test_each_test_gets_an_empty_redis(redis_url, round_):
    with redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("leftover", round_)
