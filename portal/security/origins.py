"""Whose page a change was sent from: what another site's page sends changes nothing, whatever token it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import current_app, request
from flask_babel import gettext as _

from core.errors import Refusal

if TYPE_CHECKING:
    from flask import Flask

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_USUAL_PORTS: Final = {"http": 80, "https": 443}


class ForeignOrigin(Refusal):
    """A page of another address sent this in the name of whoever is signed in here."""

    code = "foreign_origin"
    status = 403


def install(app: Flask, hosts: list[str], hops: int, *, https: bool) -> None:
    """Tell the app which names are ours beside the one it is called by, and whether proxies or https stand in front."""
    app.config["OWN_NAMES"] = frozenset(host.lower() for host in hosts) if hops else frozenset()
    app.config["BEHIND_PROXIES"] = hops > 0
    app.config["BEHIND_HTTPS"] = https or hops > 0


def check() -> None:
    """Refuse with `foreign_origin` a request that changes something and that a page of another address sent.

    Browsers say so in Origin; where that is missing in Sec-Fetch-Site, else in Referer. A program that says nothing
    of the kind is no page: its token decides.
    """
    if request.method in _SAFE:
        return
    origin = request.headers.get("Origin")
    if origin is not None:
        foreign = not _ours(origin)
    elif "Sec-Fetch-Site" in request.headers:
        foreign = request.headers["Sec-Fetch-Site"].strip().lower() == "cross-site"
    else:
        referer = request.headers.get("Referer", "")
        foreign = bool(referer) and not _ours(referer)
    if foreign:
        said = (origin or request.headers.get("Referer") or "cross-site")[:100]
        raise ForeignOrigin(
            _("A page of another address sent this. Open the desk itself and do it there."), origin=said
        )


def _ours(address: str) -> bool:
    """Return whether an address is of the host that this request was made to; `null` is of none.

    The other scheme of our host is another site, unless something in front of us may speak https and ask us by http.
    Proxies may drop the port of the name they pass on, or call us by another of our names: behind them a name counts.
    """
    try:
        said = urlsplit(address)
        asked = urlsplit(f"//{request.host}")
        theirs, mine = (said.hostname or "").lower(), (asked.hostname or "").lower()
        ports = (_port(said.port, said.scheme), _port(asked.port, request.scheme))
    except ValueError:  # a port that is none
        return False
    if not theirs or said.scheme not in _schemes():
        return False
    if current_app.config["BEHIND_PROXIES"]:
        return theirs == mine or theirs in current_app.config["OWN_NAMES"]
    return theirs == mine and ports[0] == ports[1]


def _schemes() -> set[str]:
    """Return what an address of ours begins with, in this request."""
    return {request.scheme, "https"} if current_app.config["BEHIND_HTTPS"] else {request.scheme}


def _port(number: int | None, scheme: str) -> int | None:
    """Return a port that is not the usual one of its scheme, None for that: nobody need say it."""
    return None if number == _USUAL_PORTS.get(scheme) else number
