"""Words that the documents of all reports share: causes, tiers, periods; and moments as local clocks show them."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from exporters.reports.documents.say import Say
from exporters.reports.documents.spelling import day
from exporters.reports.figures import MICROSECONDS, Incident, Period, Row
from inventory.language import N_

_CAUSES: Mapping[str, str] = MappingProxyType(
    {
        "device": N_("broken device"),
        "link": N_("broken line"),
        "power": N_("loss of power"),
        "upstream": N_("upstream, root not known"),
        "maintenance": N_("planned maintenance"),
        "unknown": N_("unknown"),
    }
)
_TIERS: Mapping[str, str] = MappingProxyType(
    {"province": N_("province level"), "district": N_("district level"), "commune": N_("commune level")}
)
_ROLES: Mapping[str, str] = MappingProxyType(
    {
        "access-point": N_("wireless access point"),
        "firewall": N_("firewall"),
        "hypervisor": N_("virtual machine host"),
        "kiosk": N_("information kiosk"),
        "printer": N_("printer"),
        "queue-machine": N_("queue machine"),
        "recorder": N_("camera recorder"),
        "router": N_("router"),
        "server": N_("server"),
        "storage": N_("storage array"),
        "switch": N_("switch"),
        "time-server": N_("time server"),
        "unmanaged-switch": N_("unmanaged switch"),
        "ups": N_("uninterruptible power supply"),
        "windows-server": N_("Windows server"),
        "workstation": N_("workstation"),
    }
)
_MONTHS = (
    N_("January {year}"),
    N_("February {year}"),
    N_("March {year}"),
    N_("April {year}"),
    N_("May {year}"),
    N_("June {year}"),
    N_("July {year}"),
    N_("August {year}"),
    N_("September {year}"),
    N_("October {year}"),
    N_("November {year}"),
    N_("December {year}"),
)


# Unit types as official Vietnamese writes them before a name: small, but for the city whose name is a person's.
_UNIT_TYPES = ("Tỉnh ", "Thành phố ", "Thị xã ", "Quận ", "Huyện ", "Thị trấn ", "Phường ", "Xã ", "Đặc khu ")
_ALWAYS_CAPITAL = ("Thành phố Hồ Chí Minh",)


def within(name: str, language: str) -> str:
    """Return a name as it stands within a sentence: tỉnh Kiên Giang."""
    if language == "vi" and name.startswith(_UNIT_TYPES) and name not in _ALWAYS_CAPITAL:
        return name[0].lower() + name[1:]
    return name


def first_capital(text: str) -> str:
    """Return a text as it begins a line of a table."""
    return text[:1].upper() + text[1:]


def cause(word: str, say: Say) -> str:
    """Return a cause in words."""
    return say(_CAUSES[word]) if word in _CAUSES else word


def tier(word: str, say: Say) -> str:
    """Return the name of a tier; a tier that a province named itself stays as it is."""
    return say(_TIERS[word]) if word in _TIERS else word


def role(word: str, say: Say) -> str:
    """Return what a device is for, in words; a role that a province named itself stays as it is."""
    return say(_ROLES[word]) if word in _ROLES else word


def name(row: Row, say: Say) -> str:
    """Return what a row is called."""
    return tier(row.id, say) if row.kind == "tier" else row.name


def period(one: Period, say: Say) -> str:
    """Return a period in words: October 2026, week 41 of 2026 (05/10/2026 to 11/10/2026), 05/10/2026."""
    first, last = day(one.first), day(one.last)
    match one.kind:
        case "month":
            return say(_MONTHS[one.first.month - 1], year=one.first.year)
        case "week":
            year, week, _weekday = one.first.isocalendar()
            return say(N_("week {week} of {year} ({first} to {last})"), week=week, year=year, first=first, last=last)
        case "day":
            return say(N_("the day {first}"), first=first)
        case _:
            return say(N_("the days {first} to {last}"), first=first, last=last)


def short_period(one: Period, say: Say) -> str:
    """Return a period as it heads a column: 10/2026, W41/2026, 05/10/2026."""
    match one.kind:
        case "month":
            return say(N_("Month {month}/{year}"), month=one.first.month, year=one.first.year)
        case "week":
            year, week, _weekday = one.first.isocalendar()
            return say(N_("Week {week}/{year}"), week=week, year=year)
        case "day":
            return day(one.first)
        case _:
            return f"{one.first:%d/%m} – {day(one.last)}"


def moment(microseconds: int | None, zone: str) -> datetime | None:
    """Return a moment (microseconds since 1970 in UTC) as the province's clocks show it, cut off at the second."""
    if microseconds is None:
        return None
    return datetime.fromtimestamp(microseconds // MICROSECONDS, ZoneInfo(zone)).replace(tzinfo=None)


def place(incident: Incident) -> str:
    """Return where an outage was: the office or service, and the device if it was one of several things there."""
    return f"{incident.name} ({incident.node})" if incident.kind == "device" else incident.name
