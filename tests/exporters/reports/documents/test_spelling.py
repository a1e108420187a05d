"""Numbers, times and names as people read them."""

from datetime import date, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.reports.documents import terms
from exporters.reports.documents.document import Form, Value
from exporters.reports.documents.spelling import in_words, share, spelt
from exporters.reports.figures import MICROSECONDS

MINUTE = 60 * MICROSECONDS


@pytest.mark.parametrize(
    ("value", "form", "vietnamese", "english"),
    [
        (Fraction(9995, 10_000), Form.SHARE, "99,95\N{NO-BREAK SPACE}%", "99.95%"),
        (Fraction(99_999, 100_000), Form.SHARE, "99,99\N{NO-BREAK SPACE}%", "99.99%"),
        (Fraction(1), Form.SHARE, "100,00\N{NO-BREAK SPACE}%", "100.00%"),
        (Fraction(0), Form.SHARE, "0,00\N{NO-BREAK SPACE}%", "0.00%"),
        (Fraction(12, 10_000), Form.CHANGE, "+0,12", "+0.12"),
        (Fraction(-129, 100_000), Form.CHANGE, "−0,12", "−0.12"),
        (Fraction(-9, 100_000), Form.CHANGE, "0,00", "0.00"),
        (Fraction(10), Form.RELATIVE, "+1.000\N{NO-BREAK SPACE}%", "+1,000%"),
        (Fraction(-1, 2), Form.RELATIVE, "−50\N{NO-BREAK SPACE}%", "−50%"),
        (1234567, Form.COUNT, "1.234.567", "1,234,567"),
        (Fraction(1961, 10), Form.NUMBER, "196,1", "196.1"),
        (134 * 60 * MINUTE + 5 * MINUTE + 59 * MICROSECONDS, Form.DURATION, "134:05", "134:05"),
        (1, Form.DURATION, "< 0:01", "< 0:01"),
        (0, Form.DURATION, "0:00", "0:00"),
        (date(2026, 10, 5), Form.DAY, "05/10/2026", "05/10/2026"),
        (datetime(2026, 10, 5, 7, 3, 59), Form.MOMENT, "05/10/2026 07:03", "05/10/2026 07:03"),
        (None, Form.SHARE, "–", "–"),
    ],
)
def test_values_in_both_languages(value: Value, form: Form, vietnamese: str, english: str) -> None:
    assert spelt(value, form, "vi") == vietnamese
    assert spelt(value, form, "en") == english


@given(st.fractions(0, 1))
def test_a_share_is_never_flattered(value: Fraction) -> None:
    shown = Fraction(share(value, "en").rstrip("%")) / 100
    assert shown <= value < shown + Fraction(1, 10_000)
    assert (shown == 1) == (value == 1)


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (0, "0 min"),
        (59 * MICROSECONDS, "less than a minute"),
        (59 * MINUTE, "59 min"),
        (120 * MINUTE, "2 h"),
        (1500 * 60 * MINUTE + MINUTE, "1,500 h 1 min"),
        (Fraction(7 * MINUTE, 2), "3 min"),
    ],
)
def test_times_in_words(duration: int | Fraction, words: str) -> None:
    assert in_words(duration, "en") == words


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("Tỉnh Kiên Giang", "tỉnh Kiên Giang"),
        ("Thị trấn Sóc Sơn", "thị trấn Sóc Sơn"),
        ("Thành phố Hồ Chí Minh", "Thành phố Hồ Chí Minh"),
        ("Thành phố Rạch Giá", "thành phố Rạch Giá"),
        ("Bưu điện huyện An Minh", "Bưu điện huyện An Minh"),
    ],
)
def test_unit_types_are_small_within_a_sentence(name: str, inside: str) -> None:
    assert terms.within(name, "vi") == inside
    assert terms.within(name, "en") == name
