"""Moments as people write and read them: 17:00, 2026-12-05 20:00, or how long from now (90m, 4h, 2d)."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import typer

from inventory.language import _

_LONG = re.compile(r"(\d{1,5})\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, zone: ZoneInfo, start: datetime) -> datetime:
    """Return the moment that `text` means: a time is the next one after `start`, a length counts from it.

    Raises typer.BadParameter.
    """
    if long := _LONG.fullmatch(text.strip()):
        return start + timedelta(**{_UNITS[long[2]]: int(long[1])})
    try:
        return _next(time.fromisoformat(text.strip()), zone, start)
    except ValueError:
        pass
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError as error:
        told = _("'{text}' is no moment; write for example 17:00, '2026-12-05 20:00', 90m, 4h or 2d")
        raise typer.BadParameter(told.format(text=text)) from error
    return read if read.tzinfo else read.replace(tzinfo=zone)


def _next(clock: time, zone: ZoneInfo, start: datetime) -> datetime:
    today = datetime.combine(start.astimezone(zone).date(), clock, clock.tzinfo or zone)
    return today if today >= start else today + timedelta(days=1)


def local(at: str, zone: ZoneInfo) -> str:
    """Return a time of the ledger as people of the province read it."""
    return datetime.fromisoformat(at).astimezone(zone).isoformat(" ", "seconds")


def minutes(at: datetime, zone: ZoneInfo) -> str:
    """Return a moment to the minute, as people of the province read it."""
    return at.astimezone(zone).isoformat(" ", "minutes")
