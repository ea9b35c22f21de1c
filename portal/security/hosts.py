"""Which host names we answer to; machines that ask whether we are well may call us by any, even by our address."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

SIGNS_OF_LIFE = frozenset({"/healthz", "/readyz", "/metrics"})
"""What they answer says nothing that depends on the name: no address is made from it, no cookie is read."""


def install(app: Flask, known: list[str]) -> None:
    """Give the signs of life a name we know, whatever the caller said; Flask refuses unknown names elsewhere."""
    inner: Callable[..., Iterable[bytes]] = app.wsgi_app

    def outer(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in SIGNS_OF_LIFE and known:
            environ = {**environ, "HTTP_HOST": known[0]}
        return inner(environ, start_response)

    app.wsgi_app = outer  # type: ignore[method-assign]
