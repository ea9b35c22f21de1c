"""Fees and plans: what is in force, what comes, what waits; a new version is proposed here and approved by another."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core import clock
from core.actor import Actor, Right
from core.commissions import lives, versions, withdrawing
from core.commissions.plans import PRODUCTS
from core.errors import Forbidden, NotFound, Refusal
from portal import format as show
from portal import in_place, refusals
from portal.roles import current_actor
from portal.security.gate import needs
from portal.views import version_forms, version_words
from portal.views.enrolling import at_field, read_form, read_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from flask.typing import ResponseReturnValue

    from core.approvals import Approval

KINDS = {"fees": versions.FEES, "plans": versions.PLAN}
"""How the two kinds are called in addresses."""
TITLES = {"fees": _l("Fee schedules"), "plans": _l("Commission plans")}


class Terms(NamedTuple):
    """A schedule or plan: the version in force with its terms, those that come, how many there are, what waits."""

    code: str
    now: versions.Version | None
    lines: dict[str, str]
    coming: list[versions.Version]
    count: int
    waits: Approval | None


class VersionsView(BaseView):
    """Schedules and plans for those who count the money; nothing is edited, each version stays."""

    route_base = "/versions"
    default_view = "list"
    right = Right.SEE_PRICING

    @expose("/", methods=["GET"])
    def list(self) -> ResponseReturnValue:
        """Show every schedule and plan with the terms in force."""
        actor = current_actor()
        return render_template(
            "versions/list.html",
            title=_("Fees and plans"),
            found=[(word, TITLES[word], _terms(actor, kind)) for word, kind in KINDS.items()],
            may_propose=actor.may(Right.MANAGE_PRICING),
        )

    @expose("/<word>/show/<code>", methods=["GET"])
    def history(self, word: str, code: str) -> ResponseReturnValue:
        """Show every version of one schedule or plan: from when until when, whose it was, and what it changed."""
        return self._history(word, code)

    @expose("/<word>/show/<code>/withdraw", methods=["POST"])
    @needs(Right.MANAGE_PRICING)
    def withdraw(self, word: str, code: str) -> ResponseReturnValue:
        """Withdraw an approved version before it begins; a refusal is told on the page, status kept."""
        kind, form = _kind(word), read_form(("version", "reason"))
        try:
            number = read_number(form["version"], "version")
            withdrawing.withdraw(current_actor(), kind, code, number, form["reason"])
        except Refusal as refusal:
            if in_place.wanted():
                return in_place.refused(refusal)
            flash(refusals.told(refusal), "danger")
            return self._history(word, code), refusal.status
        flash(_("%(name)s is withdrawn: it never comes into force.", name=f"{code} v{number}"), "ok")
        there = redirect(url_for("VersionsView.history", word=word, code=code))
        return in_place.done(there) if in_place.wanted() else there

    @expose("/<word>/new", methods=["GET"])
    @needs(Right.MANAGE_PRICING)
    def new(self, word: str) -> ResponseReturnValue:
        """Show the form of the next version, filled with the terms of the one before it, also where that is to come."""
        kind = _kind(word)
        now, coming = versions.standing(current_actor(), kind, request.args.get("code", ""))
        last = coming or now
        return self._form(word, version_forms.filled(kind, last.code if last else "", last.terms if last else None), {})

    @expose("/<word>/new", methods=["POST"])
    @needs(Right.MANAGE_PRICING)
    def propose(self, word: str) -> ResponseReturnValue:
        """Propose what was typed; what is wrong is said at its field and nothing is asked for."""
        kind = _kind(word)
        form = read_form(version_forms.FIELDS[kind])
        try:
            terms, start = version_forms.read(kind, form), version_forms.read_start(form["start"])
            ref = versions.propose(current_actor(), kind, form["code"], terms, form["why"], start=start)
        except Forbidden:
            raise
        except Refusal as refusal:
            wrong = at_field(version_forms.in_words(refusal), version_forms.FIELDS[kind], version_forms.AT)
            return self._form(word, form, wrong, refusal.status)
        flash(_("Proposed. It counts for nothing until another person approves it."), "ok")
        return redirect(url_for("ApprovalsDesk.show", key=ref))

    def _history(self, word: str, code: str) -> str:
        actor, kind, moment = current_actor(), _kind(word), clock.now()
        all_of_it = lives.history(actor, kind, code)
        waits = next((each for each in versions.waiting(actor, kind) if each.subject == code), None)
        # While a proposal waits that would follow it, a version is refused to be withdrawn: no button leads there.
        may = {each.version.version for each in all_of_it if not waits and withdrawing.may(actor, each, moment)}
        return render_template(
            "versions/history.html",
            title=code,
            word=word,
            crumbs=[(_("Fees and plans"), url_for("VersionsView.list"))],
            all=[(each, _state(each, moment), version_words.changed(kind, each)) for each in all_of_it],
            waits=waits,
            may_propose=actor.may(Right.MANAGE_PRICING),
            sees_requests=actor.may(Right.SEE_APPROVALS),
            may_withdraw=may,
            lead=versions.LEAD.seconds,
        )

    def _form(
        self, word: str, form: Mapping[str, str], wrong: Mapping[str, str], status: int = 200
    ) -> ResponseReturnValue:
        now, coming = versions.standing(current_actor(), _kind(word), form["code"])
        html = render_template(
            "versions/new.html",
            title=_("Propose fees") if word == "fees" else _("Propose a plan"),
            word=word,
            crumbs=[(_("Fees and plans"), url_for("VersionsView.list"))],
            form=form,
            wrong=wrong,
            now=now,
            coming=coming,
            following=versions.following(current_actor(), _kind(word), form["code"]),
            begins=show.when(coming.effective_from) if coming else "",
            products=[(name, version_words.PRODUCTS[name]) for name in PRODUCTS],
            modes=[*version_words.MODES.items()],
            windows=[*version_words.WINDOWS.items()],
            lead=versions.LEAD.seconds,
        )
        return html, status


def _kind(word: str) -> str:
    if word not in KINDS:
        raise NotFound(_("There is no such page."))
    return KINDS[word]


def _state(each: lives.Lived, moment: datetime) -> str:
    if each.version.withdrawn_at:
        return "version_withdrawn"
    if each.never:
        return "version_never"
    if each.version.in_force:
        return "version_now"
    return "version_to_come" if each.version.effective_from > moment else "version_before"


def _terms(actor: Actor, kind: str) -> list[Terms]:
    """Return every schedule or plan of a kind by code; a code that only waits comes too."""
    waits = {each.subject: each for each in versions.waiting(actor, kind)}
    moment = clock.now()
    found = []
    for code, group in groupby(versions.known(actor, kind), key=lambda each: each.code):
        all_of_it = [*group]
        now = next((each for each in all_of_it if each.in_force), None)
        # Of those that begin at one moment the last counts.
        begin = {e.effective_from: e for e in all_of_it if e.effective_from > moment and not e.withdrawn_at}
        coming = [*begin.values()]
        lines: dict[str, Any] = version_words.lines(kind, now.terms) if now else {}
        found.append(Terms(code, now, lines, coming, len(all_of_it), waits.pop(code, None)))
    return found + [Terms(code, None, {}, [], 0, each) for code, each in waits.items()]
