"""How an alert ended is said in the same words on its badge and in its form, in every language."""

from __future__ import annotations

import pytest
from flask_babel import force_locale

from core.compliance.choices import DISPOSITIONS as KNOWN
from portal.states import BADGES, badge_of
from portal.views.disposing import DISPOSITIONS
from tests.portal import market


@pytest.fixture(scope="module")
def desk(module_database):
    return market.built()


def test_badge_and_form_say_the_same():
    assert list(DISPOSITIONS) == list(KNOWN)
    for name, label in DISPOSITIONS.items():
        assert name in BADGES
        assert badge_of(name).text is label


@pytest.mark.parametrize(("language", "said"), [("en", "Confirmed, no report"), ("zh", ""), ("es", "")])
def test_a_badge_speaks_the_readers_language(desk, language, said):
    with desk.app.test_request_context("/"):
        english = {name: str(badge_of(name).text) for name in KNOWN}
        with force_locale(language):
            told = {name: str(badge_of(name).text) for name in KNOWN}
    assert said in told["confirmed_no_report"]
    assert language == "en" or not set(told.items()) & set(english.items())
