"""How an alert ends, in words: those of its badges, so that a form and a list say the same."""

from __future__ import annotations

from core.compliance.choices import DISPOSITIONS as KNOWN
from portal.states import BADGES

DISPOSITIONS = {name: BADGES[name].text for name in KNOWN}
