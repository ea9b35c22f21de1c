"""What reverse proxies tell of the caller, believed only from where our proxies are."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from core.settings import read_networks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

USUAL = "127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7"
"""This machine and private networks: where proxies stand when nothing is said."""
_TOLD = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",
         "HTTP_X_FORWARDED_PREFIX", "HTTP_FORWARDED")  # fmt: skip


def install(app: Flask, hops: int, addresses: str) -> None:
    """Take address, scheme and host from the last `hops` proxies if the peer is one of ours; else from nobody."""
    if not hops:
        return
    ours = read_networks(addresses or USUAL)
    inner: Callable[..., Iterable[bytes]] = app.wsgi_app
    proxied = ProxyFix(inner, x_for=hops, x_proto=hops, x_host=hops)

    def outer(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
        if _within(str(environ.get("REMOTE_ADDR", "")), ours):
            return proxied(environ, start_response)  # type: ignore[arg-type]  # WSGI's own types
        return inner({name: value for name, value in environ.items() if name not in _TOLD}, start_response)

    app.wsgi_app = outer  # type: ignore[method-assign]


def _within(peer: str, ours: list[Network]) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(plain in network for network in ours)
