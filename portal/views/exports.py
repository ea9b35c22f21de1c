"""Exports: the files somebody asked for, how far they are, and fetching or calling them off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, send_file, url_for
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import gettext as _

from core.actor import Right
from core.errors import NotFound, Refusal
from core.reports import requests
from portal import refusals
from portal.roles import current_actor

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


class ExportsView(BaseView):
    """Everybody's own files only; a link works for its owner, in the same role, until the file expires."""

    route_base = "/exports"
    default_view = "list"
    right = Right.EXPORT

    @expose("/", methods=["GET"])
    def list(self) -> ResponseReturnValue:
        """Show the person's exports, newest first."""
        return self._page()

    @expose("/file/<ref>", methods=["GET"])
    def file(self, ref: str) -> ResponseReturnValue:
        """Send a finished file to the person who asked for it."""
        path, found = requests.open_file(current_actor(), ref)
        name = "-".join(filter(None, (found.kind, found.filters.get("period"), ref))) + path.suffix
        answer = send_file(path, as_attachment=True, download_name=name, max_age=0)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @expose("/cancel/<ref>", methods=["POST"])
    def cancel(self, ref: str) -> ResponseReturnValue:
        """Call an export off that is not done yet."""
        try:
            requests.cancel(current_actor(), ref)
        except NotFound:
            raise
        except Refusal as refusal:
            flash(refusals.told(refusal), "danger")
            return self._page(refusal.status)
        flash(_("The export is called off."), "ok")
        return redirect(url_for("ExportsView.list"))

    def _page(self, status: int = 200) -> ResponseReturnValue:
        html = render_template(
            "jobs/exports.html",
            title=_("My files"),
            exports=requests.own(current_actor()),
            days=requests.KEPT.days,
        )
        return html, status
