"""A signed-in person, as one query gives it: the account, its one role, its party and its taste."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A user in this request: what Flask-Login and Flask-AppBuilder ask of a user, and no ORM."""

    id: int
    username: str
    first_name: str
    last_name: str
    role: str
    party_id: int | None = None
    session_id: int = 0
    language: str = ""
    theme: str = "system"
    density: str = "comfortable"
    zone: str = "UTC"
    must_change_password: bool = False

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return the user's number as text, as Flask-Login wants it."""
        return str(self.id)

    def get_full_name(self) -> str:
        """Return first and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def initials(self) -> str:
        """The two letters of the round badge."""
        letters = f"{self.first_name[:1]}{self.last_name[:1]}" or self.username[:2]
        return letters.upper()


def stamp(password_hash: str, role: str) -> bytes:
    """Return what a session is bound to: when password or role change by whatever way, it no longer fits."""
    return hashlib.sha256(f"{password_hash}\n{role}".encode()).digest()
