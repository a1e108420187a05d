"""How values are spelt for people: 99,95 % and 1.234 in Vietnamese, 99.95% and 1,234 in English; days as 31/10/2026.

Shares and times are cut off, never rounded up: what was away for a second is not told as 100 %.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from fractions import Fraction
from types import MappingProxyType

from exporters.reports.documents.document import Form, Value
from exporters.reports.documents.say import speaker
from exporters.reports.figures import MICROSECONDS
from inventory.language import N_

NOTHING = "–"
_NO_BREAK = "\N{NO-BREAK SPACE}"  # a number keeps its sign on its line
_MINUTE = 60 * MICROSECONDS
_SMALLEST = Fraction(1, 10_000)
_VIETNAMESE = str.maketrans(",.", ".,")


def spelt(value: Value, form: Form, language: str) -> str:
    """Return the text of a value; a dash where there is none."""
    return NOTHING if value is None else _SPELLING[form](value, language)


def number(value: float | Fraction, decimals: int, language: str) -> str:
    """Return a number with its groups of three."""
    text = f"{float(value):,.{decimals}f}"
    return text.translate(_VIETNAMESE) if language == "vi" else text


def share(value: Fraction, language: str) -> str:
    """Return a fraction of one in percent."""
    return _cut(value, language) + _percent_sign(language)


def change(value: Fraction, language: str) -> str:
    """Return a difference of two shares in percentage points, with its sign unless it is too small to be seen."""
    sign = "" if abs(value) < _SMALLEST else "+" if value > 0 else "−"
    return sign + _cut(abs(value), language)


def relative(value: Fraction, language: str) -> str:
    """Return by how many percent something changed, with its sign."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{number(abs(value) * 100, 0, language)}{_percent_sign(language)}"


def clock(duration: int | Fraction) -> str:
    """Return microseconds as hours and minutes, 134:05; less than a minute is told as such."""
    minutes = int(duration // _MINUTE)
    return "< 0:01" if duration and not minutes else f"{minutes // 60}:{minutes % 60:02}"


def in_words(duration: int | Fraction, language: str) -> str:
    """Return microseconds in words: 336 hours 29 minutes, 12 minutes."""
    say = speaker(language)
    hours, minutes = divmod(int(duration // _MINUTE), 60)
    if not hours:
        return say(N_("{minutes} min"), minutes=minutes) if minutes or not duration else say(N_("less than a minute"))
    if not minutes:
        return say(N_("{hours} h"), hours=number(hours, 0, language))
    return say(N_("{hours} h {minutes} min"), hours=number(hours, 0, language), minutes=minutes)


def day(value: date) -> str:
    """Return a day as 31/10/2026."""
    return f"{value:%d/%m/%Y}"


def _cut(value: Fraction, language: str) -> str:
    hundredths = int(value * 10_000)
    whole = number(hundredths // 100, 0, language)
    return f"{whole}{',' if language == 'vi' else '.'}{hundredths % 100:02}"


def _percent_sign(language: str) -> str:
    return f"{_NO_BREAK}%" if language == "vi" else "%"


def _moment(value: datetime) -> str:
    return f"{value:%d/%m/%Y %H:%M}"


_SPELLING: Mapping[Form, Callable[..., str]] = MappingProxyType(
    {
        Form.TEXT: lambda value, _language: str(value),
        Form.COUNT: lambda value, language: number(value, 0, language),
        Form.SHARE: share,
        Form.CHANGE: change,
        Form.RELATIVE: relative,
        Form.DURATION: lambda value, _language: clock(value),
        Form.NUMBER: lambda value, language: number(value, 1, language),
        Form.DAY: lambda value, _language: day(value),
        Form.MOMENT: lambda value, _language: _moment(value),
    }
)
