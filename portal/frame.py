"""The portal's frame for pages that another room draws (the dashboards), and what every template may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import current_app, render_template, request, url_for
from flask_babel import get_locale
from markupsafe import Markup

from core import clock
from core.words import LEAST_REASON
from portal import in_place, menu, taste
from portal.leads import lead
from portal.roles import ROLES
from portal.security.gate import safe_next
from portal.security.sessions import current_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask

    from portal.security.people import Person


class Desk:
    """What templates know about who looks: person, language, theme, menu."""

    languages = taste.LANGUAGES

    @property
    def person(self) -> Person | None:
        """The signed-in person, or None."""
        return current_person()

    @property
    def now(self) -> str:
        """The server's time, by which the page's countdowns run."""
        return clock.now().isoformat(timespec="milliseconds")

    @property
    def lang(self) -> str:
        """The language of the page."""
        return getattr(get_locale(), "language", None) or "en"

    @property
    def dir(self) -> str:
        """Whether the language is written from the right."""
        return "rtl" if self.lang in taste.RIGHT_TO_LEFT else "ltr"

    @property
    def theme(self) -> str:
        """system, light or dark."""
        person = self.person
        return person.theme if person else "system"

    @property
    def density(self) -> str:
        """Comfortable or compact."""
        person = self.person
        return person.density if person else "comfortable"

    @property
    def zone(self) -> str:
        """The name of the time zone."""
        person = self.person
        return person.zone if person else "UTC"

    @property
    def role_label(self) -> object:
        """The role as people call it."""
        person = self.person
        role = ROLES.get(person.role) if person else None
        return role.label if role else ""

    @property
    def sandbox(self) -> bool:
        """Whether no real money is meant."""
        return not current_app.config["PRODUCTION"]

    @property
    def search_href(self) -> str:
        """Where the search box leads."""
        return str(current_app.config["SEARCH_HREF"])

    @property
    def back_href(self) -> str:
        """The page of ours somebody came from, else home."""
        here = request.host_url
        referrer = request.referrer or ""
        return safe_next("/" + referrer[len(here) :]) if referrer.startswith(here) else "/"

    def menu(self) -> list[Any]:
        """Return the sidebar's sections."""
        return menu.sections()

    def with_arg(self, name: str, value: str) -> str:
        """Return this page's query string with one argument changed."""
        return urlencode([(k, v) for k, v in request.args.items(multi=True) if k != name] + [(name, value)])


def page_frame(
    *,
    title: str,
    body: str,
    head: str = "",
    scripts: str = "",
    crumbs: Sequence[tuple[str, str]] = (),
    show_title: bool = True,
) -> str:
    """Return a whole page of the portal around `body`; all parts are trusted HTML of ours.

    Scripts must carry `nonce="…"` from `portal.security.headers.nonce()`.
    """
    return render_template(
        "frame.html",
        title=title,
        body=Markup(body),  # noqa: S704 - made by our own dashboards
        head=Markup(head),  # noqa: S704 - the same
        scripts=Markup(scripts),  # noqa: S704 - the same
        crumbs=list(crumbs),
        show_title=show_title,
    )


def static(path: str) -> str:
    """Return the address of a static file, with the release in it, so that browsers may keep it for long."""
    return url_for("static", filename=path, v=current_app.config["RELEASE"])


def install(app: Flask) -> None:
    """Give every template the `desk` and `static`."""
    app.jinja_env.globals["desk"] = Desk()
    app.jinja_env.globals["static"] = static
    app.jinja_env.globals["lead"] = lead
    app.jinja_env.globals["field_of"] = in_place.field_of
    app.jinja_env.globals["least_reason"] = LEAST_REASON
