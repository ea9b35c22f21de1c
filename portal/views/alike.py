"""Alerts alike on screen: told above the queue when they come in crowds, looked over and dismissed together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import expose
from flask_babel import gettext as _

from core.actor import Actor, Right
from core.compliance import alike, choices
from core.errors import Forbidden, Refusal
from portal import format as show
from portal import refusals, risk_words
from portal.roles import current_actor
from portal.security.gate import needs
from portal.views.disposing import DISPOSITIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from core.compliance.queries import AlertView


class Crowds:
    """What the desk of alerts does about many of one kind: one rule at one acceptor that stopped nothing."""

    endpoint: str
    title: Any

    @expose("/alike/<ref>", methods=["GET"])
    @needs(Right.DECIDE_ALERT)
    def alike(self, ref: str) -> ResponseReturnValue:
        """Show the alerts like that one, the oldest first."""
        return self._alike(ref)

    @expose("/alike/<ref>", methods=["POST"])
    @needs(Right.DECIDE_ALERT)
    def dismiss_alike(self, ref: str) -> ResponseReturnValue:
        """Dismiss the chosen ones with one reason; a sample goes to another officer."""
        actor, form = current_actor(), request.form
        try:
            said = form.get("disposition", ""), form.get("narrative", "")
            done = alike.dismiss(actor, form.getlist("rowid"), *said)
        except Forbidden:
            raise
        except Refusal as refusal:
            flash(refusals.told(refusal), "danger")
            return self._alike(ref, refusal.status)
        told = _(
            "%(n)s alerts are decided. Dismissed: %(closed)s; for another officer, chosen by chance: %(sample)s.",
            n=show.number(len(done.closed) + len(done.sampled)), closed=show.number(len(done.closed)),
            sample=show.number(len(done.sampled)),
        )  # fmt: skip
        flash(told, "ok")
        left = alike.of(actor, ref)
        if len(left.rows) >= alike.LEAST:
            return redirect(url_for(f"{self.endpoint}.alike", ref=left.rows[0].ref))
        return redirect(url_for(f"{self.endpoint}.list", stage="waiting", sort="due_at"))

    def _alike(self, ref: str, status: int = 200) -> ResponseReturnValue:
        found = alike.of(current_actor(), ref)
        sent = request.method == "POST"
        html = render_template(
            "alerts/alike.html",
            view=self,
            title=_("Alerts alike"),
            key=ref,
            found=found,
            crumbs=[(self.title, url_for(f"{self.endpoint}.list", stage="waiting", sort="due_at"))],
            rule=self.rule_words(found.rule),
            told_of=risk_words.told,
            dispositions=DISPOSITIONS,
            least=choices.LEAST_WORDS,
            form=request.form if sent else {},
            chosen=request.form.getlist("rowid") if sent else [each.ref for each in found.rows],
            sample=alike.SAMPLE,
            fewest=alike.LEAST,
        )
        return html, status

    def crowds(self) -> Sequence[alike.Crowd]:
        """Return the alerts that come in crowds, for who may decide, above what waits."""
        asks = current_actor().may(Right.DECIDE_ALERT) and request.args.get("stage") == "waiting"
        return alike.crowds(current_actor()) if asks else []

    def rule_words(self, rule: str) -> str:
        """Return a rule in words."""
        return str(risk_words.RULES.get(rule, rule))


def like(alert: AlertView, actor: Actor) -> alike.Alike | None:
    """Return the alerts like this one, if they can be dismissed together with it."""
    if alert.row.state != "open" or alert.row.verdict != "allow" or not actor.may(Right.DECIDE_ALERT):
        return None
    found = alike.of(actor, alert.row.ref)
    return found if found.number >= alike.LEAST else None
