"""The internal list of payers' accounts: bank-freeze notices, police letters, and what officers know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core import audit, clock, ids, outbox, vault, words
from core.actor import Right
from core.db import reading, transaction
from core.errors import AlreadyDone, BadInput, NotFound, WrongState

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction

SOURCES: Final = ("officer", "bank_notice", "police_letter", "court_order", "merchant")
"""Who says that an account is to be listed."""
MOST_WORDS: Final = 200
_LENGTH: Final = (4, 40)

_FIND = "select id, ref, listed from payer_account where ref = %s or blind = %s for no key update"


def list_payer(actor: Actor, account: str, reason: str, source: str = SOURCES[0]) -> str:
    """List a payer's account, by its number or its ref (`pay_…`): gates G1 and G3 then stop what it pays (rule 12).

    An account nobody has paid from yet may be listed too. Returns its ref. Refuses with forbidden, bad_input
    (the reason, 5 to 200 characters, is what the rule quotes; the source is one of `SOURCES`), not_found, and
    already_done when it is listed.
    """
    actor.must(Right.DECIDE_ALERT)
    why = _why(reason)
    if source not in SOURCES:
        raise BadInput(f"a source is one of {', '.join(SOURCES)}", field="source", source=source[:40])
    with transaction() as tx:
        number, ref, listed = _find(tx, account, make=True)
        if listed:
            raise AlreadyDone(f"the account is listed already: {listed}", ref=ref, listed=listed)
        tx.run("update payer_account set listed = %s where id = %s", (why, number))
        audit.write(tx, actor, "payer.list", ref, reason=why, details={"source": source})
        outbox.tell(tx, "payer.listed", ref)
    return ref


def unlist_payer(actor: Actor, account: str, reason: str) -> str:
    """Take a payer's account off the list; return its ref. Refuses as `list_payer`, wrong_state if not listed."""
    actor.must(Right.DECIDE_ALERT)
    why = _why(reason)
    with transaction() as tx:
        number, ref, listed = _find(tx, account, make=False)
        if not listed:
            raise WrongState("the account is not listed", ref=ref)
        tx.run("update payer_account set listed = '' where id = %s", (number,))
        audit.write(tx, actor, "payer.unlist", ref, reason=why, details={"was": listed})
        outbox.tell(tx, "payer.unlisted", ref)
    return ref


def listed(actor: Actor, ref: str) -> str:
    """Return why a payer's account (`pay_…`) is listed, "" when it is not. Raises Forbidden, NotFound."""
    actor.must(Right.SEE_ALERTS)
    with reading() as tx:
        rows = tx.rows("select listed from payer_account where ref = %s", (ref,))
    if not rows:
        raise NotFound(f"there is no payer's account {ref[:40]}", ref=ref[:40])
    return str(rows[0][0])


def _why(reason: str) -> str:
    return words.reason(reason, longest=MOST_WORDS)


def _find(tx: Transaction, account: str, *, make: bool) -> tuple[int, str, str]:
    """Return number, ref and present listing of an account, locked; a number never seen is stored when asked."""
    if account.startswith("pay_"):
        rows = tx.rows(_FIND, (ids.check(account, "pay"), None))
        if not rows:
            raise NotFound(f"there is no payer's account {account}", ref=account)
        return rows[0]
    plain = vault.normalise_account(account)
    if not (_LENGTH[0] <= len(plain) <= _LENGTH[1] and plain.isascii()):
        raise BadInput(f"an account number has {_LENGTH[0]} to {_LENGTH[1]} letters and digits", field="account")
    blind = vault.blind(plain)
    if make:
        tx.run(
            "insert into payer_account (ref, blind, sealed, masked, first_seen_at) values (%s, %s, %s, %s, %s)"
            " on conflict on constraint payer_account_once do nothing",
            (ids.new("pay"), blind, vault.seal(plain), vault.mask_account(plain), clock.now()),
        )
    rows = tx.rows(_FIND, (None, blind))
    if not rows:
        raise NotFound("nobody has paid from this account yet", account=vault.mask_account(plain))
    return rows[0]
