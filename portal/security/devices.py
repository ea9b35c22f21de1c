"""Known devices: after a right password a browser keeps a signed word that takes it past what strangers cause."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

KEPT = timedelta(days=180)
MOST_ACCOUNTS = 8
"""Accounts that signed in from one browser, the latest ones; the cookie holds no names."""
_SHAPE = re.compile(r"[A-Za-z0-9_-]{22}")


class _Device(NamedTuple):
    number: str
    marks: list[str]


def _cookie() -> str:
    return "__Host-desk-device" if current_app.config["SESSION_COOKIE_SECURE"] else "desk-device"


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        current_app.config["SECRET_KEY"], salt="known device", signer_kwargs={"digest_method": hashlib.sha256}
    )


def _mark(number: str, account: str) -> str:
    return hashlib.sha256(f"{number}\n{account.strip().lower()}".encode()).hexdigest()[:32]


def _device() -> _Device | None:
    try:
        number, marks = _signer().loads(request.cookies.get(_cookie(), ""), max_age=int(KEPT.total_seconds()))
    except (BadData, ValueError, TypeError):
        return None
    return _Device(number, list(marks)) if isinstance(number, str) and _SHAPE.fullmatch(number) else None


def known(account: str) -> str:
    """Return this browser's number if the account has signed in from it before, else nothing."""
    device = _device()
    return device.number if device is not None and _mark(device.number, account) in device.marks else ""


def remember(answer: Response, account: str) -> None:
    """Let the browser keep that this account has signed in from it; scripts and other sites never see the word."""
    device = _device() or _Device(secrets.token_urlsafe(16), [])
    mark = _mark(device.number, account)
    marks = [mark, *(each for each in device.marks if each != mark)][:MOST_ACCOUNTS]
    answer.set_cookie(
        _cookie(),
        str(_signer().dumps([device.number, marks])),
        max_age=KEPT,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Strict",
    )
