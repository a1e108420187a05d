"""Moments as people write and read them: 17:00, 2026-12-05 20:00, or how long from now (90m, 4h, 2d)."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import typer

from inventory.language import _

_LONG = re.compile(r"(\d{1,5})\s*([smhd])")
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, zone: ZoneInfo, start: datetime) -> datetime:
    """Return the moment that `text` means: a time is the next one after `start`, a length counts from it.

    Raises typer.BadParameter.
    """
    if long := _LONG.fullmatch(text.strip()):
        return start + timedelta(**{_UNITS[long[2]]: int(long[1])})
    found = _clock(text.strip(), zone, start) or _dated(text.strip(), zone)
    if found is None:
        told = _("'{text}' is no moment; write for example 17:00, '2026-12-05 20:00', 90m, 4h or 2d")
        raise typer.BadParameter(told.format(text=text))
    return found


def day(text: str) -> date:
    """Return the day that `text` means. Raises typer.BadParameter."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(_("'{text}' is no day; write for example 2021-06-01").format(text=text)) from error


def _clock(text: str, zone: ZoneInfo, start: datetime) -> datetime | None:
    """Return the next time of that clock; a year, such as 2026, is none."""
    try:
        return _next(time.fromisoformat(text), zone, start) if ":" in text else None
    except ValueError:
        return None


def _dated(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    found = read if read.tzinfo else read.replace(tzinfo=zone)
    return found if _FIRST <= found <= _LAST else None


def _next(clock: time, zone: ZoneInfo, start: datetime) -> datetime:
    today = datetime.combine(start.astimezone(zone).date(), clock, clock.tzinfo or zone)
    return today if today >= start else today + timedelta(days=1)


def local(at: str, zone: ZoneInfo) -> str:
    """Return a time of the ledger as people of the province read it."""
    return datetime.fromisoformat(at).astimezone(zone).isoformat(" ", "seconds")


def minutes(at: datetime, zone: ZoneInfo) -> str:
    """Return a moment to the minute, as people of the province read it."""
    return at.astimezone(zone).isoformat(" ", "minutes")
