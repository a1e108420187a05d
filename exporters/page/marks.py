"""How moments, spans of time, shares and days are written, in the reader's language."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from exporters.page.bars import Bar, Bars
from inventory.language import _, current

_MOMENT = {"vi": "%H:%M %d/%m/%Y", "en": "%Y-%m-%d %H:%M"}
_SHORT = {"vi": "%H:%M %d/%m", "en": "%-d %b %H:%M"}  # of what began of late
_DAY = {"vi": "%d/%m/%Y", "en": "%Y-%m-%d"}
_TIME = Markup('<time datetime="{at}">{text}</time>')
_FROM_TO = Markup("{} – {}")
_AGO = Markup('{time} <span class="ago" data-since="{seconds}"></span>')


def when(seconds: float, zone: ZoneInfo) -> Markup:
    """Return a moment as people of the province read it; scripts and screen readers find it exact."""
    return _time(datetime.fromtimestamp(seconds, zone), _MOMENT.get(current(), _MOMENT["en"]))


def between(begin: float, end: float, zone: ZoneInfo) -> Markup:
    """Return a span of time; the day is told once, where it is the same."""
    form = _MOMENT.get(current(), _MOMENT["en"])
    first, last = (datetime.fromtimestamp(moment, zone) for moment in (begin, end))
    is_one_day = first.date() == last.date()
    day_first = is_one_day and form.startswith("%Y")
    one = _time(first, "%H:%M" if is_one_day and not day_first else form)
    return _FROM_TO.format(one, _time(last, "%H:%M" if day_first else form))


def since(seconds: float, zone: ZoneInfo) -> Markup:
    """Return a moment, and a place in which the page says how long ago that was."""
    short = _time(datetime.fromtimestamp(seconds, zone), _SHORT.get(current(), _SHORT["en"]))
    return _AGO.format(time=short, seconds=round(seconds))


def clock(seconds: float, zone: ZoneInfo) -> Markup:
    """Return the time of a moment of today."""
    return _time(datetime.fromtimestamp(seconds, zone), "%H:%M:%S")


def _time(at: datetime, form: str) -> Markup:
    return _TIME.format(at=at.isoformat(timespec="seconds"), text=at.strftime(form))


def on(day: date) -> Markup:
    """Return a day."""
    return _TIME.format(at=day.isoformat(), text=day.strftime(_DAY.get(current(), _DAY["en"])))


def lasted(seconds: float) -> str:
    """Return how long something lasted: its two largest units."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return _("less than a minute")
    if minutes < 60:
        return _("{minutes} min").format(minutes=minutes)
    if minutes < 1440:
        return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)
    return _("{days} d {hours} h").format(days=minutes // 1440, hours=minutes % 1440 // 60)


def percent(share: float | None) -> str:
    """Return a share as a percentage that is never rounded up to 100."""
    if share is None:
        return _("no data")
    text = f"{min(share * 100, 99.99) if share < 1 else 100:.2f}".rstrip("0").rstrip(".")
    return f"{text.replace('.', ',') if current() == 'vi' else text} %"


def told(bar: Bar) -> str:
    """Return a bar in words."""
    day = bar.day.strftime(_DAY.get(current(), _DAY["en"]))
    if bar.up is None:
        return _("{day}: no data").format(day=day)
    if not bar.out:
        return _("{day}: {percent} available").format(day=day, percent=percent(bar.up))
    words = _("{day}: {percent} available, {lasted} out")
    return words.format(day=day, percent=percent(bar.up), lasted=lasted(bar.out))


def described(bars: Bars) -> str:
    """Return what bars show, in a sentence."""
    if bars.up is None:
        return _("nothing is known yet of the last {days} days").format(days=len(bars.bars))
    words = _("{percent} available in the last {days} days; days with outages: {count}")
    return words.format(percent=percent(bars.up), days=len(bars.bars), count=len(bars.troubled))
