"""The list of agents by a filter: those it finds, its words, and its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.errors import BadInput
from core.money import USDT
from portal.export import Small

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask_babel import LazyString

    from core.parties.tree import Node

STATES: Final[dict[str, LazyString]] = {
    "active": _l("Active"),
    "suspended": _l("Suspended"),
    "barred": _l("Barred"),
    "held": _l("Held"),
}
_LONGEST: Final = 60


class Asked(NamedTuple):
    """Which agents are asked for: a part of the code or name, a state, a plan; "" for any."""

    q: str = ""
    state: str = ""
    plan: str = ""

    @property
    def kept(self) -> dict[str, str]:
        """What the address says of the filter."""
        return {name: value for name, value in self._asdict().items() if value}

    def but(self, **other: str) -> dict[str, str]:
        """Return the same with something else in it."""
        return self._replace(**other).kept

    @property
    def words(self) -> str:
        """The filter as people say it."""
        labels = {"q": _("Code or name"), "state": _("State"), "plan": _("Plan")}
        said = {**self.kept, **({"state": str(STATES[self.state])} if self.state else {})}
        return "; ".join(f"{labels[name]}: {value}" for name, value in said.items()) or "all rows"


def ask(args: Mapping[str, Any]) -> Asked:
    """Return what the address asks for. Raises BadInput for a state there is not."""
    asked = Asked(*(str(args.get(name, "")).strip()[:_LONGEST] for name in Asked._fields))
    if asked.state and asked.state not in STATES:
        raise BadInput(_("There is no such state."), state=asked.state[:20])
    return asked


def found(nodes: Sequence[Node], asked: Asked) -> list[Node]:
    """Return the agents that fit, without a filter the whole tree; found ones stand side by side, each for itself."""
    if not asked.kept:
        return list(nodes)
    words = asked.q.casefold()
    return [
        each._replace(level=0)
        for each in nodes
        if (not words or words in each.code.casefold() or words in each.name.casefold())
        and (not asked.plan or each.plan == asked.plan)
        and asked.state in {"", "held" if each.held else each.state}
    ]


def file(nodes: Sequence[Node], asked: Asked) -> Small:
    """Return the agents as their file holds them."""
    volume, commission = _("Own volume, 30 days to now"), _("Own commission this month")
    heads = [
        _("Agent"), _("Name"), _("State"), _("Plan"), _("Level"), _("Merchants"), _("Acceptors"), _("Sub-agents"),
        volume, f"{volume} ({_('currency')})", commission, f"{commission} ({_('currency')})", _("Enrolled"),
    ]  # fmt: skip
    rows = [
        [
            each.code, each.name, "held" if each.held else each.state, each.plan, str(each.level), str(each.merchants),
            str(each.acceptors), str(each.sub_agents), each.volume.text(), USDT.code, each.commission.text(), USDT.code,
            each.joined_at.isoformat(timespec="seconds"),
        ]
        for each in nodes
    ]  # fmt: skip
    sums = {
        (volume, USDT.code): sum(each.volume.units for each in nodes),
        (commission, USDT.code): sum(each.commission.units for each in nodes),
    }
    return Small("agents", _("Agents"), heads, rows, sums, asked.words)
