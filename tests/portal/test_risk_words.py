"""What gates say in the reader's language: from stored keys and facts, never from a stored sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.support import NullTranslations
from flask import Flask
from flask_babel import Babel

from core.orders.matching import REASONS
from core.risk.parameters import DEFAULT_RULESET
from core.risk.rules import RULES, Features, evaluate
from core.risk.verdicts import UNJUDGED
from core.risk.wording import WORDINGS, Counted
from core.risk.wording import english as in_english
from portal import risk_words

ROOT = Path(__file__).parents[2]


@pytest.fixture
def english():
    """A reader of English."""
    app = Flask("words")
    Babel(app)
    with app.test_request_context():
        yield


def reason(**facts):
    found = evaluate("G1", Features(**{"usdt_units": 100_000_000, "prior_orders": 3} | facts), DEFAULT_RULESET).reasons
    return found[0].to_json()


def test_a_reason_is_put_in_words_when_it_is_shown(english):
    told = risk_words.told(reason(usdt_units=12_500_500_000, prior_orders=0))
    assert told.text == "12,500.500000 USDT as the first order within 90 days, above 2,000.000000 USDT"
    assert told.unless == "Up to 2,000.000000 USDT, or after a first order, it would not have fired"
    assert (told.value, told.threshold) == ("12,500.500000 USDT", "2,000.000000 USDT")
    told = risk_words.told(reason(orders_10m=7, account_age_seconds=10**7))
    assert told.text == "8 orders within 10 minutes, more than the 5 that are usual"


@pytest.mark.parametrize(
    ("key", "args", "text", "unless"),
    [
        ("M_CONFIRM.fast", {"seconds": "1", "limit": "20"}, "Confirmed 1 second after", "From 20 seconds on"),
        ("M_CONFIRM.fast", {"seconds": "0", "limit": "1"}, "Confirmed 0 seconds after", "From 1 second on"),
        (
            "NEW_LARGE.young",
            {"amount": "1", "days": "1", "limit": "1"},
            "1.000000 USDT from an account 1 day",
            "Up to",
        ),
        ("VEL_CNT", {"count": "2", "limit": "1", "window": "1 hour"}, "2 orders within", "With 1 order or none"),
        (
            "CANCEL_PROBE",
            {"count": "1", "limit": "1", "window": "1 day"},
            "1 order expired unpaid",
            "With fewer than 1",
        ),
    ],
)
def test_one_is_counted_as_one(english, key, args, text, unless):
    told = risk_words.told({"code": key, "text_key": key, "args": args})
    assert told.text.startswith(text)
    assert told.unless.startswith(unless)
    if not key.startswith("NEW_LARGE"):  # programs read sums without separators
        assert [in_english(each, key, args)[1:] for each in WORDINGS[key]] == [told.text[1:], told.unless[1:]]


def test_counts_have_separators_as_sums_do(english):
    stored = {"count": "1204", "limit": "1000", "window": "1 day"}
    told = risk_words.told({"code": "VEL_CNT", "text_key": "VEL_CNT", "args": stored, "value": "1204"})
    assert told.text == "1,204 orders within 1 day, more than the 1,000 that are usual"
    assert told.unless == "With 1,000 orders or fewer it would not have fired"
    assert told.value == "1,204"


def test_likeness_and_scores_are_told_in_words_with_the_figure_behind_them(english):
    told = risk_words.told(
        {"code": "NAME_MISMATCH", "text_key": "NAME_MISMATCH.hard", "value": "657", "threshold": "750",
         "args": {"score": "657", "limit": "750"}},
    )  # fmt: skip
    assert told.text.startswith("The payer's name looks like another person's: it is like the verified name to 65.7 %")
    assert (told.value, told.threshold) == ("65.7 %", "75.0 %")
    one, two = [{"contribution": 1500}], [{"contribution": 3000}, {"contribution": 1000}, {}]
    cases = ((-1500, one), (-500, two), (1000, [{"contribution": -500}]), (3000, []))
    assert [risk_words.risk_of(*each) for each in cases] == [
        "low risk, raised by 1.5", "medium risk, raised by 4.0", "high risk, lowered by 0.5", "very high risk",
    ]  # fmt: skip
    assert [risk_words.weight_of(milli) for milli in (0, 500, 1500, 3500)] == [
        "adds nothing (0.0)", "adds little (0.5)", "adds clearly (1.5)", "adds much (3.5)",
    ]  # fmt: skip


def test_a_reason_stored_with_its_sentence_or_of_an_unknown_rule_still_speaks(english):
    old = {"code": "OLD", "text_key": "OLD.gone", "text": "it was odd", "counterfactual": "else not", "args": {}}
    assert risk_words.told(old)[:2] == ("It was odd", "Else not")
    assert risk_words.told({"code": "OLD"}).text == "OLD"


SPANISH = {
    "%(count)s orders within %(window)s, more than the %(limit)s that are usual": (
        "%(count)s órdenes en %(window)s, más que las %(limit)s usuales"
    ),
    "10 minutes": "10 minutos",
    "it is busier than the one chosen": "está más ocupado que el elegido",
}


def test_each_reader_reads_their_own_language(english, monkeypatch):
    class Spanish(NullTranslations):
        def ugettext(self, message):
            return SPANISH.get(message, message)

        def ungettext(self, one, many, number):
            return SPANISH.get(many, many) if number != 1 else one

    monkeypatch.setattr("flask_babel.Domain.get_translations", lambda _self: Spanish())
    assert risk_words.told(reason(orders_10m=7)).text == "8 órdenes en 10 minutos, más que las 5 usuales"
    assert risk_words.lost("busier") == "Está más ocupado que el elegido"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 seconds"), (1, "1 second"), (59, "59 seconds"), (460, "7 m 40 s"), (7500, "2 h 5 m"), (273_600, "3 d 4 h"),
     (86_400 * 1200, "1,200 d"), (600, "10 m"), (7200, "2 h"), (-5, "0 seconds")],
)  # fmt: skip
def test_lengths_of_time_are_said_as_people_say_them(english, seconds, said):
    assert risk_words.lasting(seconds) == said


def test_what_a_gate_saw_is_named_and_formatted(english):
    seen = dict(risk_words.seen({"bank_line_seen": False, "usdt_units": 4_850_000_000, "account_age_seconds": 273_600,
                                 "orders_30d": 1200, "p95_90d_units": None, "new_one": "x"}))  # fmt: skip
    assert seen == {
        "Amount of the order": "4,850.000000 USDT",
        "Orders in 30 days": "1,200",
        "Usual large order": "–",
        "Customer known for": "3 d 4 h",
        "Bank line seen": "no",
        "new one": "x",
    }


def test_every_rule_and_figure_has_a_name():
    assert set(risk_words.RULES) == {*RULES, UNJUDGED}
    assert set(risk_words.FEATURES) == set(Features._fields)


def test_the_words_of_the_core_are_collected_for_the_catalogues():
    found = {
        message
        for _, _, message, *_ in extract_from_dir(
            ROOT / "core",
            [("risk/wording.py", "python"), ("orders/matching.py", "python")],
            keywords=DEFAULT_KEYWORDS | {"Counted": (1, 2)},
        )
    }
    phrases = {each[:2] if isinstance(each, Counted) else each for wording in WORDINGS.values() for each in wording}
    words = phrases | set(REASONS.values())
    assert words <= found
    assert re.search(r"extract .*portal dashboards core$", (ROOT / "Makefile").read_text(), re.MULTILINE)
