"""What each code of a refusal means and what to do about it, in the reader's language: the page of errors says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from flask_babel import lazy_gettext as _l

if TYPE_CHECKING:
    from flask_babel import LazyString

AGAIN: Final = _l("The same request may be sent again with the same `Idempotency-Key`.")
FINAL: Final = _l("Sending it again gives the same answer; after the cause is gone, use a new `Idempotency-Key`.")


class Code(NamedTuple):
    """One code: its HTTP status, its meaning, what to do, and about sending it again; what is typed is in backticks."""

    status: int
    meaning: LazyString
    advice: LazyString
    repeated: LazyString | str = ""


# The English of a meaning is that of the refusal's own class, where it has one: tests/docs/test_errors.py holds them
# together, and knows no refusal that is missing here.
CODES: Final[dict[str, Code]] = {
    "bad_list": Code(
        400,
        _l("The address of a list asks for something the list does not know."),
        _l("The address of the list was edited or is of another version. Open the list from the menu and filter anew."),
    ),
    "bad_request": Code(
        400,
        _l("The request cannot be read at all: its body is no JSON object, or it is not HTTP."),
        _l(
            "Send one JSON object in UTF-8, without doubled names, NaN or Infinity; method, headers and chunks"
            " as HTTP has them. On a page: go back and reload."
        ),
    ),
    "form_expired": Code(
        400,
        _l("The form is older than the session it was made in."),
        _l("Reload the page and send it again."),
    ),
    "idempotency_key_missing": Code(
        400,
        _l("A POST came without an Idempotency-Key that can be read."),
        _l("Send a fresh `Idempotency-Key` (a UUID, say) with every POST, and the same one when you repeat it."),
    ),
    "refused": Code(
        400,
        _l("A request the product declines; nothing has changed."),
        _l("Read the sentence; none of the codes below says it more exactly."),
    ),
    "not_signed_in": Code(
        401,
        _l("Nobody is signed in, or the key is unknown."),
        _l(
            "Sign in again; programs: check the `Authorization: Bearer` header. A key that has ended stays"
            " ended: ask for a new one."
        ),
    ),
    "barred": Code(
        403,
        _l("The party, person or country may not do business here."),
        _l("Nothing can be done from outside: the desk has barred the party or person."),
        FINAL,
    ),
    "forbidden": Code(
        403,
        _l("The actor lacks the right, or the row is not the actor's."),
        _l(
            "Somebody with the right must do it. With the fact `rule` = `four_eyes`: somebody other than the"
            " person who asked for it."
        ),
        FINAL,
    ),
    "foreign_origin": Code(
        403,
        _l("A page of another address sent this in the name of whoever is signed in here."),
        _l(
            "Open the desk by its own address and do it there. Where a proxy stands in front, it must pass on"
            " the name: see `DESK_PROXIES` and `DESK_TRUSTED_HOSTS`."
        ),
    ),
    "not_found": Code(
        404,
        _l("No such thing, or not one the actor may see."),
        _l("Check the ref. Things of other parties look exactly as if they were not there."),
    ),
    "method_not_allowed": Code(
        405,
        _l("The address does not take that method."),
        _l("Use one of the methods in the `Allow` header."),
    ),
    "already_done": Code(
        409,
        _l("The same effect has been booked before."),
        _l(
            "The effect exists: look for it (same number of the merchant, quote, key or code) instead of making"
            " it again."
        ),
    ),
    "amount_differs": Code(
        409,
        _l("What came is not what the order is about."),
        _l(
            'Only the whole amount can be confirmed. If another amount came, say so with "Something else'
            " came\" on the order's page: two officers decide."
        ),
    ),
    "changed": Code(
        409,
        _l("Somebody else changed it first; look again."),
        _l("Somebody else changed it at the same moment. Look again and decide again."),
        AGAIN,
    ),
    "conflict": Code(
        409,
        _l("The request is well formed, but the present state does not allow it."),
        _l("Look at the sentence and at the present state; `facts` may list what is offered."),
        FINAL,
    ),
    "frozen": Code(
        409,
        _l("The bank account or party is frozen or suspended."),
        _l("The bank account or party is frozen or suspended. Ask operations; use another account."),
        FINAL,
    ),
    "quote_expired": Code(
        409,
        _l("The quoted price is no longer offered."),
        _l("Ask for a new quote, show the customer the new price, open the order from that one."),
    ),
    "short_reserve": Code(
        409,
        _l("An account holds less than asked for."),
        _l("Top up the account, or use a smaller amount."),
        FINAL,
    ),
    "still_running": Code(
        409,
        _l("The first request with this idempotency key has not ended yet."),
        _l(
            "Your first request with this key has not ended yet. Wait a second and send it again, unchanged. If"
            " the desk was restarted in the middle of it, that may take up to a minute; nothing is done twice."
        ),
    ),
    "too_late": Code(
        409,
        _l("The deadline for this step has passed."),
        _l(
            "The time to pay is over and the escrow has gone back. Open a new order. If the customer has paid"
            " already, tell operations: the payment is found by its reference."
        ),
    ),
    "under_review": Code(
        409,
        _l("The step waits for a person; no more is told."),
        _l("Wait: a compliance officer decides. Nothing is needed from you, and nobody will tell you more."),
    ),
    "wrong_state": Code(
        409,
        _l("The life cycle has no such step from the present state."),
        _l(
            "Read the order: the step was taken already, or another step came first. `facts.allowed` names the"
            " steps that you may take now, `facts.next_actor` whose move it is."
        ),
        FINAL,
    ),
    "too_large": Code(
        413,
        _l("The body is longer than the API reads."),
        _l("Send less than 64 KiB."),
    ),
    "address_too_long": Code(
        414,
        _l("The address is longer than the web server reads."),
        _l(
            "Make the first line of the request (method, path, query) 4,094 bytes at most; what is long goes in"
            " the body."
        ),
    ),
    "unsupported_media": Code(
        415,
        _l("The body is not JSON in UTF-8 by its own account."),
        _l("Send `Content-Type: application/json`, in UTF-8, not compressed."),
    ),
    "bad_amount": Code(
        422,
        _l("An amount is not a plain decimal number within the asset's decimals and limits."),
        _l(
            "Send a plain decimal string such as `250.00`: ASCII digits, a point, no sign, exponent or"
            " separators, no more decimals than the currency has, within the limits in `facts`."
        ),
    ),
    "bad_input": Code(
        422,
        _l("The input cannot be read or breaks a stated limit."),
        _l(
            "Mend the field that `facts` or the sentence names. The key was not used up: mend the body and send"
            " it with the same `Idempotency-Key`."
        ),
    ),
    "idempotency_key_reused": Code(
        422,
        _l("The idempotency key was used with another body."),
        _l(
            "A key belongs to one request. Use a new key for a new request; if you meant to repeat the old one,"
            " send exactly the old body."
        ),
    ),
    "too_many": Code(
        429,
        _l("Too many tries; wait."),
        _l("Wait as long as `Retry-After` or the sentence says."),
    ),
    "headers_too_large": Code(
        431,
        _l("The headers are larger or more than the web server reads."),
        _l("Send 100 headers at most, each of 8,190 bytes at most. In a browser: delete the cookies of this address."),
    ),
    "fault": Code(
        500,
        _l("Something broke on our side. Nothing is known about what happened to the request."),
        _l(
            "Tell operations the `request_id` (on a page: the trace id): the log holds the reason under it."
            " Then repeat the request with the same `Idempotency-Key`: it takes effect once, whether the first"
            " one did or not."
        ),
    ),
    "unavailable": Code(
        503,
        _l("A part we depend on does not answer, or a figure is too old to act on."),
        _l("A part of the desk is restarting, or the exchange rate is too old to act on. Wait a little."),
        AGAIN,
    ),
}


def entries() -> list[tuple[int, str, str, str]]:
    """Return every code with its HTTP status, meaning and advice, in the order of the page."""
    found = [
        (each.status, code, str(each.meaning), f"{each.advice} {each.repeated}".strip()) for code, each in CODES.items()
    ]
    return sorted(found)
