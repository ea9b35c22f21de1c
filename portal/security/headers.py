"""What every answer carries: a policy for content with a nonce, no framing, no sniffing, no keeping."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import g, request

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response

_POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; worker-src 'self' blob:"
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
}
_MAY_CACHE = frozenset({"static"})


def nonce() -> str:
    """Return this request's nonce; only scripts that carry it run."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def install(app: Flask) -> None:
    """Set the headers on every answer of the app."""

    def finish(answer: Response) -> Response:
        for name, value in _ALWAYS.items():
            answer.headers.setdefault(name, value)
        answer.headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce())
        if app.config["SESSION_COOKIE_SECURE"]:
            answer.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        # Component scripts of the dashboards carry a fingerprint in their name and hold nothing of anybody.
        if request.endpoint not in _MAY_CACHE and "/_dash-component-suites/" not in request.path:
            answer.headers["Cache-Control"] = "no-store"
        return answer

    app.after_request(finish)
    app.jinja_env.globals["nonce"] = nonce
