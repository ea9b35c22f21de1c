"""The places at which matching starts to look in a pool: random, and drawn anew from time to time."""

from __future__ import annotations

from core.db import transaction

AT_ONCE = 1_000


def shuffle() -> int:
    """Give every pool account a new random place; return how many. Safe twice and twice at once.

    In small transactions, skipping what is being matched just now: nobody waits for a shuffle.
    """
    done, last = 0, 0
    while True:
        with transaction() as tx:
            numbers = [
                number
                for (number,) in tx.rows(
                    "select id from pool_account where id > %s order by id limit %s for no key update skip locked",
                    (last, AT_ONCE),
                )
            ]
            done += tx.run(
                "update pool_account set slot = floor(random() * 2147483647)::int where id = any(%s)",
                (numbers,),
            )
        if not numbers:
            return done
        last = numbers[-1]
