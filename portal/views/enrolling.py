"""Enrolling parties: the form that merchants, acceptors and agents share; what is wrong is said at its field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import expose
from flask_babel import gettext as _

from core.actor import Right
from core.errors import BadAmount, BadInput, Barred, Forbidden, Refusal
from core.parties import acceptors, agents, merchants, naming
from portal import refusals, typed
from portal.roles import actor_or_none, current_actor
from portal.security.gate import needs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from core.actor import Actor
    from core.money import Asset, Money

FIELDS = ("code", "name", "country", "agent", "parent", "plan", "kyc_level")


def read_form(names: tuple[str, ...]) -> dict[str, str]:
    """Return these fields of the form that was sent, without blanks around them."""
    return {name: request.form.get(name, "").strip() for name in names}


def at_field(refusal: Refusal, names: tuple[str, ...], other: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what a refusal says, by the field of the form it is about ("": it is about none of them)."""
    field = str(refusal.facts.get("field", ""))
    field = (other or {}).get(field, field)
    return {field if field in names else "": refusals.told(refusal)}


def read_number(text: str, field: str) -> int:
    """Return a whole number that was typed, else refuse with `bad_input` at its field."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:  # noqa: PLR2004 - more is no number of anything here
        said = str(refusals.WORDS.get(field, field))
        raise BadInput(_("%(field)s must be a whole number.", field=said), field=field)
    return int(text)


def read_money(text: str, asset: Asset, field: str, *, allow_zero: bool = False) -> Money:
    """Return an amount that was typed, else refuse with `bad_amount` at its field."""
    try:
        return typed.money(text, asset, allow_zero=allow_zero)
    except BadAmount as refusal:
        refusal.facts["field"] = field
        raise


def may_enrol() -> bool:
    """Return whether who looks may enrol parties."""
    actor = actor_or_none()
    return actor is not None and actor.may(Right.MANAGE_PARTIES)


def enrol(actor: Actor, kind: str, form: Mapping[str, str]) -> str:
    """Enrol a party from what was typed, its referrer named by ref or code; return its ref. Raises as the commands."""
    level = read_number(form["kyc_level"], "kyc_level")
    field = "parent" if kind == "agent" else "agent"
    above = naming.party(actor, form[field], "agent", field=field) if form[field] else None
    if kind == "agent":
        return agents.create(
            actor, form["code"], form["name"], plan=form["plan"], parent_ref=above, country=form["country"],
            kyc_level=level,
        )  # fmt: skip
    if not form["country"]:
        raise BadInput(_("Say in which country it is established."), field="country")
    create = merchants.create if kind == "merchant" else acceptors.create
    return create(actor, form["code"], form["name"], country=form["country"], agent_ref=above, kyc_level=level)


class Enrols:
    """What the desks of parties share: an administrator enrols one by a form."""

    kind: ClassVar[str]
    endpoint: str

    def may_enrol(self) -> bool:
        """Return whether who looks may enrol a party here."""
        return may_enrol()

    @property
    def enrol_words(self) -> str:
        """What the button to the form says."""
        return {"merchant": _("Enrol merchant"), "acceptor": _("Enrol acceptor"), "agent": _("Enrol agent")}[self.kind]

    def next_step(self, actor: Actor) -> tuple[str, str] | None:
        """Return the way to the form for who may enrol."""
        return (self.enrol_words, url_for(f"{self.endpoint}.new")) if actor.may(Right.MANAGE_PARTIES) else None

    @expose("/new", methods=["GET"])
    @needs(Right.MANAGE_PARTIES)
    def new(self) -> ResponseReturnValue:
        """Show the form of a new party."""
        return self._enrol_form({"kyc_level": "1"}, {})

    @expose("/new", methods=["POST"])
    @needs(Right.MANAGE_PARTIES)
    def save(self) -> ResponseReturnValue:
        """Enrol a party; what is wrong is said at its field and nobody is enrolled."""
        form = read_form(FIELDS)
        try:
            ref = enrol(current_actor(), self.kind, form)
        except Refusal as refusal:
            if isinstance(refusal, Forbidden) and not isinstance(refusal, Barred):
                raise
            return self._enrol_form(form, at_field(refusal, FIELDS), refusal.status)
        flash(_("%(code)s is enrolled.", code=form["code"]), "ok")
        return redirect(url_for(f"{self.endpoint}.show", **{"ref" if self.kind == "agent" else "key": ref}))

    def _enrol_form(self, form: Mapping[str, str], wrong: Mapping[str, str], status: int = 200) -> ResponseReturnValue:
        actor = current_actor()
        titles: dict[str, Any] = {
            "merchant": (_("Enrol a merchant"), _("Merchants")),
            "acceptor": (_("Enrol an acceptor"), _("Acceptors")),
            "agent": (_("Enrol an agent"), _("Agents")),
        }
        title, above = titles[self.kind]
        html = render_template(
            "parties/new.html",
            title=title,
            crumbs=[(above, url_for(f"{self.endpoint}.list"))],
            kind=self.kind,
            form=form,
            wrong=wrong,
            here=url_for(f"{self.endpoint}.save"),
            agents=naming.known(actor, "agent"),
            plans=naming.plans(actor) if self.kind == "agent" else [],
        )
        return html, status
