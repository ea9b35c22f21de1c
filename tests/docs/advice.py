"""What to do about each refusal, in the words of docs/errors.md; codes and meanings come from the code."""

from __future__ import annotations

from typing import Final, NamedTuple

AGAIN: Final = "The same request may be sent again with the same `Idempotency-Key`."
FINAL: Final = "Sending it again gives the same answer; after the cause is gone, use a new `Idempotency-Key`."

ADVICE: Final[dict[str, str]] = {
    "refused": "Read the sentence; none of the codes below says it more exactly.",
    "bad_input": (
        "Mend the field that `facts` or the sentence names. The key was not used up: mend the body and send "
        "it with the same `Idempotency-Key`."
    ),
    "bad_amount": (
        "Send a plain decimal string such as `250.00`: ASCII digits, a point, no sign, exponent or "
        "separators, no more decimals than the currency has, within the limits in `facts`."
    ),
    "bad_list": (
        "The address of the list was edited or is of another version. Open the list from the menu and filter anew."
    ),
    "bad_request": (
        "Send one JSON object in UTF-8, without doubled names, NaN or Infinity; method, headers and chunks as HTTP has"
        " them. On a page: go back and reload."
    ),
    "too_large": "Send less than 64 KiB.",
    "unsupported_media": "Send `Content-Type: application/json`, in UTF-8, not compressed.",
    "not_signed_in": (
        "Sign in again; programs: check the `Authorization: Bearer` header. A key that has ended stays ended: "
        "ask for a new one."
    ),
    "forbidden": (
        "Somebody with the right must do it. With the fact `rule` = `four_eyes`: somebody other than the "
        f"person who asked for it. {FINAL}"
    ),
    "foreign_origin": (
        "Open the desk by its own address and do it there. Where a proxy stands in front, it must pass on the name:"
        " see `DESK_PROXIES` and `DESK_TRUSTED_HOSTS`."
    ),
    "barred": f"Nothing can be done from outside: compliance has barred the party or person. {FINAL}",
    "not_found": "Check the ref. Things of other parties look exactly as if they were not there.",
    "conflict": f"Look at the sentence and at the present state; `facts` may list what is offered. {FINAL}",
    "wrong_state": (
        "Read the order: the step was taken already, or another step came first. `facts.allowed` names the steps"
        f" that you may take now, `facts.next_actor` whose move it is. {FINAL}"
    ),
    "changed": f"Somebody else changed it at the same moment. Look again and decide again. {AGAIN}",
    "already_done": (
        "The effect exists: look for it (same number of the merchant, quote, key or code) instead of making it again."
    ),
    "short_reserve": f"Top up the account, or use a smaller amount. {FINAL}",
    "quote_expired": "Ask for a new quote, show the customer the new price, open the order from that one.",
    "under_review": "Wait: a compliance officer decides. Nothing is needed from you, and nobody will tell you more.",
    "frozen": f"The bank account or party is frozen or suspended. Ask operations; use another account. {FINAL}",
    "too_late": (
        "The time to pay is over and the escrow has gone back. Open a new order. If the customer has paid "
        "already, tell operations: the payment is found by its reference."
    ),
    "amount_differs": (
        'Only the whole amount can be confirmed. If another amount came, say so with "Something else came" '
        "on the order's page: two officers decide."
    ),
    "still_running": (
        "Your first request with this key has not ended yet. Wait a second and send it again, unchanged. If the desk "
        "was restarted in the middle of it, that may take up to a minute; nothing is done twice."
    ),
    "idempotency_key_reused": (
        "A key belongs to one request. Use a new key for a new request; if you meant to repeat the old one, "
        "send exactly the old body."
    ),
    "idempotency_key_missing": (
        "Send a fresh `Idempotency-Key` (a UUID, say) with every POST, and the same one when you repeat it."
    ),
    "too_many": "Wait as long as `Retry-After` or the sentence says.",
    "unavailable": (
        f"A part of the desk is restarting, or the exchange rate is too old to act on. Wait a little. {AGAIN}"
    ),
}


class Plain(NamedTuple):
    """An answer that no refusal makes: its status, meaning and advice."""

    status: int
    meaning: str
    advice: str


OTHERS: Final[dict[str, Plain]] = {
    "form_expired": Plain(
        400, "The form is older than the session it was made in.", "Reload the page and send it again."
    ),
    "method_not_allowed": Plain(
        405, "The address does not take that method.", "Use one of the methods in the `Allow` header."
    ),
    "address_too_long": Plain(
        414,
        "The address is longer than the web server reads.",
        "Make the first line of the request (method, path, query) 4,094 bytes at most; what is long goes in the body.",
    ),
    "headers_too_large": Plain(
        431,
        "The headers are larger or more than the web server reads.",
        "Send 100 headers at most, each of 8,190 bytes at most. In a browser: delete the cookies of this address.",
    ),
    "fault": Plain(
        500,
        "Something broke on our side. Nothing is known about what happened to the request.",
        "Tell operations the `request_id` (on a page: the trace id): the log holds the reason under it. Then repeat the"
        " request with the same `Idempotency-Key`: it takes effect once, whether the first one did or not.",
    ),
}
