"""What rules are called and what a fired one says: in English here, in the reader's language where it is shown."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from core.words import N_

if TYPE_CHECKING:
    from collections.abc import Mapping


class Counted(NamedTuple):
    """A phrase that counts: of one, of any other number, and the argument that holds the number."""

    one: str
    many: str
    by: str


class Wording(NamedTuple):
    """What happened, and what would have kept the rule silent; both take the reason's `args` with `%`."""

    text: str | Counted
    unless: str | Counted


LIKENESS: Final = "NAME_MISMATCH."
"""The words of this rule speak of thousandths of likeness, which people read as per cent."""


def args_of(text_key: str, args: Mapping[str, str]) -> Mapping[str, str]:
    """Return a reason's arguments as its English words take them."""
    if not text_key.startswith(LIKENESS):
        return args
    return {name: f"{int(value) // 10}.{int(value) % 10} %" for name, value in args.items()}


def english(phrase: str | Counted, text_key: str, args: Mapping[str, str]) -> str:
    """Return one phrase of a reason in English."""
    said = phrase if isinstance(phrase, str) else phrase.one if args.get(phrase.by) == "1" else phrase.many
    return said % args_of(text_key, args)


NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "GEO": N_("Barred country"),
        "VEL_CNT": N_("Many orders"),
        "VEL_AMT": N_("Large sum"),
        "NEW_LARGE": N_("New account, large"),
        "NAME_MISMATCH": N_("Payer name differs"),
        "SHARED_PAYER": N_("Shared payer account"),
        "PAYER_HIT": N_("Listed payer account"),
        "M_CONFIRM": N_("Odd confirmation"),
        "CANCEL_PROBE": N_("Unpaid orders"),
        "NO_RULES": N_("No rules in force"),
    },
)
"""What people call a rule, by its code: one name on every page."""

WORDINGS: Final[Mapping[str, Wording]] = MappingProxyType(
    {
        "GEO.customer": Wording(
            N_("the customer's country is %(country)s, where no business is done"),
            N_("from a country other than %(barred)s it would not have fired"),
        ),
        "GEO.declared": Wording(
            N_("the country declared for the customer is %(country)s, where no business is done"),
            N_("with a country other than %(barred)s it would not have fired"),
        ),
        "GEO.merchant": Wording(
            N_("the merchant's country is %(country)s, where no business is done"),
            N_("from a country other than %(barred)s it would not have fired"),
        ),
        "VEL_CNT": Wording(
            Counted(
                "%(count)s order within %(window)s, more than the %(limit)s that are usual",
                "%(count)s orders within %(window)s, more than the %(limit)s that are usual",
                "count",
            ),
            Counted(
                "with %(limit)s order or none it would not have fired",
                "with %(limit)s orders or fewer it would not have fired",
                "limit",
            ),
        ),
        "VEL_AMT.cap": Wording(
            N_("%(sum)s USDT within %(window)s, above the limit of %(limit)s USDT for KYC level %(level)s"),
            N_("up to %(room)s USDT it would not have fired"),
        ),
        "VEL_AMT.profile": Wording(
            N_(
                "%(sum)s USDT within %(window)s, more than %(times)s times this customer's usual large order of"
                " %(usual)s USDT"
            ),
            N_("up to %(room)s USDT it would not have fired"),
        ),
        "NEW_LARGE.first": Wording(
            N_("%(amount)s USDT as the first order within 90 days, above %(limit)s USDT"),
            N_("up to %(limit)s USDT, or after a first order, it would not have fired"),
        ),
        "NEW_LARGE.young": Wording(
            Counted(
                "%(amount)s USDT from an account %(days)s day old, above %(limit)s USDT",
                "%(amount)s USDT from an account %(days)s days old, above %(limit)s USDT",
                "days",
            ),
            N_("up to %(limit)s USDT, or from an older account, it would not have fired"),
        ),
        "NAME_MISMATCH.hard": Wording(
            N_(
                "the payer's name looks like another person's: it is like the verified name to %(score)s only, and"
                " below %(limit)s it is taken for another's"
            ),
            N_("from %(limit)s on it would not have held the release"),
        ),
        "NAME_MISMATCH.soft": Wording(
            N_(
                "the payer's name resembles the verified name, but not enough: it is like it to %(score)s, and from"
                " %(limit)s on it counts as the same"
            ),
            N_("from %(limit)s on it would not have fired"),
        ),
        "NAME_MISMATCH.missing": Wording(
            N_("the payer's name is not known, so it cannot be compared with the verified name"),
            N_("with the verified name as the payer's name it would not have fired"),
        ),
        "SHARED_PAYER": Wording(
            Counted(
                "%(users)s customer paid from this account within %(window)s; %(limit)s or more are a sign of a"
                " shared account",
                "%(users)s customers paid from this account within %(window)s; %(limit)s or more are a sign of a"
                " shared account",
                "users",
            ),
            Counted(
                "with fewer than %(limit)s customer it would not have fired",
                "with fewer than %(limit)s customers it would not have fired",
                "limit",
            ),
        ),
        "PAYER_HIT": Wording(
            N_("the payer's account is listed: %(listed)s"),
            N_("from an account that is not listed it would not have fired"),
        ),
        "SHARED_PAYER.declared": Wording(
            Counted(
                "%(users)s customer paid within %(window)s from the account declared at the opening (the claim named"
                " another); %(limit)s or more are a sign of a shared account",
                "%(users)s customers paid within %(window)s from the account declared at the opening (the claim named"
                " another); %(limit)s or more are a sign of a shared account",
                "users",
            ),
            Counted(
                "with fewer than %(limit)s customer it would not have fired",
                "with fewer than %(limit)s customers it would not have fired",
                "limit",
            ),
        ),
        "PAYER_HIT.declared": Wording(
            N_("the account declared at the opening is listed: %(listed)s; the claim named another"),
            N_("from an account that is not listed it would not have fired"),
        ),
        "M_CONFIRM.fast": Wording(
            Counted(
                "confirmed %(seconds)s second after the claim; under %(limit)s s is unusually fast",
                "confirmed %(seconds)s seconds after the claim; under %(limit)s s is unusually fast",
                "seconds",
            ),
            Counted(
                "from %(limit)s second on it would not have fired",
                "from %(limit)s seconds on it would not have fired",
                "limit",
            ),
        ),
        "M_CONFIRM.unseen": Wording(
            N_("confirmed with no bank line seen, and the policy asks for one"),
            N_("with a bank line it would not have fired"),
        ),
        "M_CONFIRM.disputed": Wording(
            Counted(
                "%(disputed)s of this acceptor's last %(orders)s order ended in a dispute within %(window)s",
                "%(disputed)s of this acceptor's last %(orders)s orders ended in a dispute within %(window)s",
                "orders",
            ),
            Counted(
                "with %(limit)s dispute or none it would not have fired",
                "with %(limit)s disputes or fewer it would not have fired",
                "limit",
            ),
        ),
        "NO_RULES.G1": Wording(
            N_("no risk rules were in force or could be read, so nothing has judged this order; it went on, flagged"),
            N_("with rules in force they would have decided"),
        ),
        "NO_RULES.G3": Wording(
            N_(
                "no risk rules were in force or could be read, so nothing has judged this release; it is held until"
                " officers decide"
            ),
            N_("with rules in force they would have decided"),
        ),
        "CANCEL_PROBE": Wording(
            Counted(
                "%(count)s order expired unpaid within %(window)s, which kept a reserve frozen",
                "%(count)s orders expired unpaid within %(window)s, each of which kept a reserve frozen",
                "count",
            ),
            N_("with fewer than %(limit)s it would not have fired"),
        ),
    },
)
