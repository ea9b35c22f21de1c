"""Names: one person in any order, case and script is found; people who share one name are told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.risk.names import normalise, similarity

SAME = [
    ("Joao Silva", "SILVA JOÃO"),
    ("José Ángel Pérez", "Jose Angel Perez"),
    ("NGUYEN VAN AN", "Nguyễn Văn An"),
    ("An Nguyen Van", "Nguyễn Văn An"),
    ("Đỗ Minh Đức", "Do Minh Duc"),
    ("王小明", "Wang Xiaoming"),
    ("王小明", "XIAOMING WANG"),
    ("王小明", "Wang Xiao-Ming"),
    ("张伟", "張偉"),
    ("陳志強", "Chen Zhiqiang"),
    ("田中太郎", "田中太郎様"),
    ("タナカ ヒロシ", "Tanaka Hiroshi"),
    ("김민수", "Kim Min-su"),
    ("김현우", "KIM HYUNWOO"),
    ("Min-jun Kim", "Kim Minjun"),
    ("Иван Петров", "PETROV IVAN"),
    ("Юлия Щербакова", "Yulia Shcherbakova"),
    ("Александр Кузнецов", "Alexander Kuznetsov"),
    ("Αλέξης Παπαδόπουλος", "Alexis Papadopoulos"),
    ("محمد حسين", "Mohammed Hussein"),
    ("محمد علي", "Muhammad Ali"),
    ("יוסף כהן", "Yosef Cohen"),
    ("Mohammed Al-Farsi", "Muhammad Alfarsi"),
    ("Youssef Haddad", "Yusuf Haddad"),
    ("Jürgen Müller", "Juergen Mueller"),
    ("Łukasz Kowalski", "Lukasz Kowalski"),
    ("Mr. John Smith", "SMITH, JOHN"),
    ("Dr. Amina Okafor", "Amina Okafor"),
    ("O'Brien, Patrick", "Patrick OBrien"),
    ("Jean-Pierre Dupont", "DUPONT JEAN PIERRE"),
    ("Katherine Jones", "Jones Catherine"),
    ("Maria da Silva Santos", "MARIA SILVA SANTOS"),
    ("Joao Carlos Silva", "Joao Silva"),
    ("Ｉｖａｎ Ｔａｎａｋａ", "ivan tanaka"),
    ("Ivan\u200b Tanaka\u202e", "Ivan Tanaka"),
    ("Suharto", "SUHARTO"),
    ("Shop 123", "SHOP 123 Ltd"),
]

OTHER = [
    ("Ivan Tanaka", "Ivan Haddad"),
    ("Maria Silva", "Maria Santos"),
    ("Maria Silva", "Mario Silva"),
    ("Joao Silva", "Jose Silva"),
    ("Jane Doe", "John Doe"),
    ("Min-jun Bello", "Min-jun Wang"),
    ("Wei Okafor", "Maria Okafor"),
    ("Nguyen Van An", "Nguyen Thi Binh"),
    ("Ahmed Hassan", "Ahmed Hussein"),
    ("حسين علي", "Hassan Ali"),
    ("Mohammed Abdulrahman Farsi", "Ahmed Abdulrahman Farsi"),
    ("Jose Carlos Oliveira", "Jose Maria Oliveira"),
    ("王小明", "王大伟"),
    ("王小明", "李小明"),
    ("王小明", "Wang Daming"),
    ("김민수", "김지원"),
    ("Kim Min-su", "Kim Ji-won"),
    ("Li Wei", "Li Na"),
    ("Ivan Petrov", "Petr Ivanov"),
    ("Suharto", "Suharto Wijaya"),
    ("Al Farsi", "Al Rashid"),
    ("Shop 123", "Shop 124"),
]

UNSURE = [
    ("J. Smith", "John Smith"),
    ("王小明", "王晓明"),
    ("Xiaoming Wang", "Xiaoling Wang"),
    ("Chen Wei", "Tan Wei"),
    ("Ivan Tanaka", "Ivan Tanaha"),
    ("Joao Carlos Pereira Silva", "Joao Silva"),
    ("Іvan Tanaka", "Ivan Tanaka"),
]

words = st.text(st.characters(codec="utf-8"), max_size=40)


@pytest.mark.parametrize(("first", "second"), SAME)
def test_the_same_person_written_another_way_passes(first, second):
    assert similarity(first, second).score_milli >= 880


@pytest.mark.parametrize(("first", "second"), OTHER)
def test_another_person_with_one_name_in_common_is_stopped(first, second):
    assert similarity(first, second).score_milli < 750


@pytest.mark.parametrize(("first", "second"), UNSURE)
def test_what_only_a_person_can_tell_is_put_before_one(first, second):
    assert 750 <= similarity(first, second).score_milli < 880


@given(words, words)
def test_no_pair_of_texts_breaks_it_and_order_never_matters(first, second):
    there, back = similarity(first, second), similarity(second, first)
    assert 0 <= there.score_milli <= 1000
    assert there.score_milli == back.score_milli
    assert normalise(first) == normalise(first)


@given(words)
def test_a_name_equals_itself_if_it_has_letters(name):
    assert similarity(name, name).score_milli in ({1000, 870} if normalise(name).words else {0})


@pytest.mark.parametrize("empty", ["", "   ", "---", "\u200b", "\x00", "!?"])
def test_a_name_without_letters_matches_nobody(empty):
    assert similarity(empty, empty).score_milli == 0
    assert similarity(empty, "Ivan Tanaka").score_milli == 0


def test_a_megabyte_of_name_is_cut_short():
    assert len(normalise("ab " * 400_000).words) == 16
    assert similarity("a" * 1_000_000, "b" * 1_000_000).score_milli == 0


def test_lookalike_letters_of_another_script_never_pass_by_themselves():
    match = similarity("Іvan Tanaka", "Ivan Tanaka")
    assert match.score_milli < 880
    assert "mixes letters of two scripts" in " ".join(match.explain)


def test_the_reckoning_is_shown():
    match = similarity("Ivan Tanaka", "Ivan Haddad")
    assert match.features == {"words": 400, "together": 500, "score": 420}
    assert match.explain == ("ivan with ivan: 1000", "left over: haddad, tanaka")
