"""Figures as people read them: shares in percent, times in days and hours. Rounding flatters nothing."""

from fractions import Fraction

from exporters.reports.figures import MICROSECONDS
from inventory.language import N_, _

NO_DATA = N_("no data yet")
_STEPS = ((86_400, N_("{count} d")), (3_600, N_("{count} h")), (60, N_("{count} min")), (1, N_("{count} s")))


def percent(share: Fraction | None, digits: int = 3) -> str:
    """Return a share in percent, cut off and not rounded up, so that only 1 is told as 100; without one: no data."""
    if share is None:
        return _(NO_DATA)
    scaled = share * 100 * 10**digits
    whole, rest = divmod(scaled.numerator // scaled.denominator, 10**digits)
    return _("{number} %").format(number=_decimal(str(whole), f"{rest:0{digits}d}"))


def points(change: Fraction | None, digits: int = 3) -> str:
    """Return a difference of shares in percentage points with its sign, rounded towards zero; "" without one."""
    if change is None:
        return ""
    scaled = abs(change) * 100 * 10**digits
    whole, rest = divmod(scaled.numerator // scaled.denominator, 10**digits)
    sign = "+" if change > 0 else "-" if change < 0 else "±"
    return sign + _decimal(str(whole), f"{rest:0{digits}d}")


def duration(microseconds: int | Fraction | None) -> str:
    """Return a time in its two largest units, such as "2 h 5 min", cut off at the second; without one: ""."""
    if microseconds is None:
        return ""
    seconds, parts = int(microseconds // MICROSECONDS), list[str]()
    for size, text in _STEPS:
        count, seconds = divmod(seconds, size)
        if count or (size == 1 and not parts):
            parts.append(_(text).format(count=count))
    return " ".join(parts[:2])


def _decimal(whole: str, rest: str) -> str:
    """Return a number with the decimal sign of the language: a comma in Vietnamese."""
    return _("{whole}.{rest}").format(whole=whole, rest=rest) if rest else whole
