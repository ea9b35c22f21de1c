"""The shapes of the API, written once: bodies are checked by them, the OpenAPI document shows them."""

from __future__ import annotations

from typing import Any, Final

from core.orders.input import ACCOUNT, LONGEST
from core.pricing.quotes import KINDS

Schema = dict[str, Any]

REF: Final = "[a-z]{3}_[0-9A-HJKMNP-TV-Z]{16}"
AMOUNT: Final = "(0|[1-9][0-9]*)([.][0-9]+)?"


def line(longest: int, words: str = "", *, least: int = 1, example: str = "", pattern: str = "") -> Schema:
    """Return the schema of one line of text."""
    schema: Schema = {"type": "string", "minLength": least, "maxLength": longest}
    if words:
        schema["description"] = words
    if pattern:
        schema["pattern"] = f"^{pattern}$"
    if example:
        schema["examples"] = [example]
    return schema


def body(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """Return the schema of an object that has these fields and no others."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def shown(**fields: Schema) -> Schema:
    """Return the schema of an answer: these fields, and maybe more in later versions."""
    return {"type": "object", "properties": fields, "required": list(fields)}


def maybe(schema: Schema) -> Schema:
    """Return the schema of a field that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def listed(name: str) -> Schema:
    """Return the schema of one page of a list."""
    return shown(
        items={"type": "array", "items": use(name)},
        next_cursor=maybe({"type": "string"}),
    )


def use(name: str) -> Schema:
    """Return a reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


_AMOUNT = line(40, "a plain decimal, for example 250.00", example="250.00", pattern=AMOUNT)
_CURRENCY = line(4, "ISO 4217", example="BRL", pattern="[A-Z]{3,4}")
_FIAT = line(3, "ISO 4217", least=3, example="BRL", pattern="[A-Z]{3}")
_TIME: Schema = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC"}
_PAYER = body(
    {
        "name": line(LONGEST["payer.name"], "as the bank knows the payer", example="Ana Souza"),
        "account": line(
            LONGEST["payer.account"],
            f"the account the money comes from: {ACCOUNT[0]} to {ACCOUNT[1]} letters and digits, however parted",
            least=ACCOUNT[0],
            example="12345678",
            pattern=f"[ ./-]*([0-9A-Za-z][ ./-]*){{{ACCOUNT[0]},{ACCOUNT[1]}}}",
        ),
    }
)
_STATE: Schema = {"type": "string", "examples": ["awaiting_payment"]}

ASKED: Final[dict[str, Schema]] = {
    "QuoteRequest": body(
        {
            "kind": line(20, example=KINDS[0]) | {"enum": list(KINDS)},
            "currency": _FIAT,
            "amount": _AMOUNT,
        },
        {"method": line(40, "only pools of this payment method", example="pix")},
    ),
    "DepositRequest": body(
        {
            "quote": line(20, "a quote of yours, not yet expired", pattern="quo_[0-9A-HJKMNP-TV-Z]{16}"),
            "merchant_order_id": line(
                LONGEST["merchant_order_id"], "your own number of the order; each is taken once", example="A-1"
            ),
            "customer": body(
                {
                    "id": line(LONGEST["customer.id"], "your own number of the customer", example="c-1"),
                    "name": line(LONGEST["customer.name"], "the verified name", example="Ana Souza"),
                },
                {"country": line(2, "ISO 3166", least=2, example="BR", pattern="[A-Za-z]{2}")},
            ),
            "payer": _PAYER,
        }
    ),
    "ClaimRequest": body(
        {"payer": _PAYER},
        {
            "paid_at": {
                "type": "string",
                "format": "date-time",
                "description": "RFC 3339 with its zone, as the bank dates it: at most a week before the deposit was"
                " opened, and five minutes to come",
            }
        },
    ),
    "CancelRequest": body({}, {"reason": line(280, "why", example="the customer gave up")}),
    "ConfirmRequest": body(
        {
            "received": _AMOUNT,
            "currency": _FIAT,
            "payer_name": line(LONGEST["payer.name"], "the payer's name as your bank shows it", example="Ana Souza"),
        },
    ),
}

_ORDER: dict[str, Schema] = {
    "ref": line(20, pattern=REF),
    "kind": {"type": "string"},
    "merchant_order_id": {"type": "string"},
    "state": _STATE,
    "risk_state": {
        "type": "string",
        "enum": ["clear", "under_review", "refused"],
        "description": "under_review: officers look at the order. A confirmation that was taken and whose payout waits"
        " for them answers 200 with this, the state still paid_claimed; confirm no second time, wait for the events",
    },
    "code": maybe(
        {
            "type": "string",
            "description": "why the order does not go on by itself: under_review, refused, matching, no_liquidity",
        }
    ),
    "message": maybe({"type": "string", "description": "the same as a sentence"}),
    "next_actor": {"type": "string", "description": "whose move it is"},
    "deadline_at": maybe(_TIME),
    "customer": shown(id={"type": "string"}),
    "acceptor": maybe(shown(ref={"type": "string"}, name={"type": "string"})),
    "currency": _CURRENCY,
    "fiat_amount": _AMOUNT,
    "usdt_amount": _AMOUNT,
    "fee_usdt": _AMOUNT,
    "created_at": _TIME,
    "matched_at": maybe(_TIME),
    "claimed_at": maybe(_TIME),
    "completed_at": maybe(_TIME),
}

GIVEN: Final[dict[str, Schema]] = {
    "Quote": shown(
        ref=line(20, pattern=REF),
        kind={"type": "string"},
        currency=_CURRENCY,
        method={"type": "string"},
        fiat_amount=_AMOUNT,
        usdt_amount=_AMOUNT,
        fee_usdt=_AMOUNT,
        net_usdt=_AMOUNT,
        rate=line(40, "the price of one USDT in the currency", example="5.42", pattern=AMOUNT),
        lines={
            "type": "array",
            "items": shown(
                code={"type": "string"},
                amount={"type": "string"},
                currency=_CURRENCY,
                part_of={
                    "type": "string",
                    "description": "fee, or rate: the acceptor's spread is in the rate",
                },
                note={"type": "string"},
            ),
        },
        expires_at=_TIME,
    ),
    "OrderSummary": shown(**_ORDER),
    "Order": shown(
        **_ORDER,
        pay_to=maybe(
            shown(
                bank={"type": "string"},
                account={"type": "string"},
                name={"type": "string"},
                reference={"type": "string"},
            )
            | {"description": "where the customer pays; told to the order's merchant while it can be paid"}
        ),
        pay_to_reason=maybe(
            {
                "type": "string",
                "examples": ["bank_account_frozen"],
                "description": "why pay_to is null although the order waits to be paid: bank_account_frozen, the desk"
                " took the account out of use. Let the customer pay nothing, and cancel the order or wait until pay_to"
                " is told again; if it was paid before, claim it as usual",
            }
        ),
    ),
    "Balance": shown(
        account={"type": "string"},
        asset=_CURRENCY,
        available=_AMOUNT,
        escrow=_AMOUNT,
        held=_AMOUNT,
    ),
    "Event": shown(
        id={"type": "string"},
        type={"type": "string", "examples": ["order.claim_paid"]},
        order=line(20, pattern=REF),
        merchant_order_id={"type": "string"},
        state=maybe(_STATE),
        at=_TIME,
    ),
    "Orders": listed("OrderSummary"),
    "Balances": shown(items={"type": "array", "items": use("Balance")}),
    "Events": shown(
        items={"type": "array", "items": use("Event")},
        next_cursor={"type": "string", "description": "always told: where to go on"},
        has_more={"type": "boolean", "description": "whether to go on at once"},
    ),
    "Problem": shown(
        type={"type": "string"},
        title={"type": "string"},
        status={"type": "integer"},
        code={"type": "string"},
        detail={"type": "string"},
        facts={"type": "object"},
        request_id={"type": "string"},
    ),
}
