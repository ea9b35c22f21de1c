"""What a user may choose about the portal's face: language, theme, density, time zone."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

LANGUAGES = {"en": "English", "zh": "中文", "es": "Español"}
RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur"})
THEMES = ("system", "light", "dark")
DENSITIES = ("comfortable", "compact")


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """Return the names of the time zones, UTC first, without the aliases nobody looks for."""
    places = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    return ("UTC", *sorted(name for name in available_timezones() if name.split("/")[0] in places))


CHOICES = {
    "language": lambda value: value in LANGUAGES,
    "theme": lambda value: value in THEMES,
    "density": lambda value: value in DENSITIES,
    "zone": lambda value: value in zones(),
}
"""Each taste and whether a value is one of its choices."""
