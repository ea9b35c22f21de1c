"""How an alert ends, in words."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

DISPOSITIONS = {
    "false_positive": _l("False positive"),
    "explained": _l("Explained"),
    "confirmed_no_report": _l("Confirmed, no report"),
    "confirmed_reported": _l("Confirmed and reported"),
    "inconclusive": _l("Inconclusive"),
}
