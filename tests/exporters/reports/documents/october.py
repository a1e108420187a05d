"""A month of the example province: outages of every cause, worked out by the real arithmetic into real reports."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from exporters.reports import period as periods
from exporters.reports.equipment import LifecycleReport
from exporters.reports.evidence import Evidence
from exporters.reports.figures import UptimeReport
from exporters.reports.lifecycle import lifecycle
from exporters.reports.scope import scope
from exporters.reports.uptime import uptime
from inventory.model import Office, Province
from ledger.outages import Outage
from ledger.records import stamp
from ledger.watching import Span

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
BEGIN = datetime(2026, 8, 31, 17, tzinfo=UTC)  # midnight of 1 September in Vietnam
_BLIND = timedelta(hours=7, minutes=30)  # in October, nobody watched


def october(province: Province, under: str = "", hurt: int = 60) -> UptimeReport:
    """Return the report of October 2026, with outages that `hurt` says how many of."""
    return report_of(province, FIRST, LAST, under, hurt)


def report_of(province: Province, first: date, last: date, under: str = "", hurt: int = 60) -> UptimeReport:
    """Return the report of some days."""
    now = datetime(2026, 11, 25, tzinfo=UTC)
    whole = periods.period(first, last, province.time_zone, now)
    known = Evidence(tuple(_outages(province, hurt)), _spans(), {})
    return uptime(scope(province, under), whole, known, known)


def ages(province: Province, under: str = "") -> LifecycleReport:
    """Return how old the example's equipment is."""
    return lifecycle(scope(province, under), date(2026, 10, 31), 180)


def named(province: Province, names: dict[str, str]) -> Province:
    """Return the province with other names of some offices."""
    offices = {
        key: replace(office, name=names[key]) if key in names else office for key, office in province.offices.items()
    }
    return replace(province, offices=offices)


def _spans() -> tuple[Span, ...]:
    blind = BEGIN + timedelta(days=41, hours=3)
    end = BEGIN + timedelta(days=70)
    return Span(stamp(BEGIN), stamp(blind)), Span(stamp(blind + _BLIND), stamp(end))


def _outages(province: Province, count: int) -> Iterator[Outage]:
    dice = random.Random(2026)
    offices = [office for office in province.offices.values() if office.uplink]
    for number in range(count):
        office = dice.choice(offices)
        began = BEGIN + timedelta(seconds=dice.randrange(61 * 86_400), microseconds=dice.randrange(1_000_000))
        ended = began + timedelta(seconds=int(dice.expovariate(1 / 9_000)) + 40)
        yield from _event(province, office, began, ended, number, dice)
    for service in ("one-stop", "documents"):
        began = BEGIN + timedelta(days=44, hours=2, seconds=7 * len(service))
        yield _outage(f"s-{service}", "service", service, began, began + timedelta(minutes=53), "device", None)


def _event(
    province: Province, office: Office, began: datetime, ended: datetime, number: int, dice: random.Random
) -> Iterator[Outage]:
    cause = dice.choice(("link", "link", "power", "power", "device", "unknown", "maintenance"))
    state = {"maintenance": "maintenance", "device": "degraded" if number % 3 else "down"}.get(cause, "down")
    root = f"o-{number:03}"
    yield _outage(root, "office", office.id, began, ended, cause, None, state)
    if state == "down":
        for other in province.offices.values():
            if other.parent == office.id:
                yield _outage(f"{root}-{other.id}", "office", other.id, began, ended, "upstream", root, "unreachable")


def _outage(
    name: str,
    kind: str,
    node: str,
    began: datetime,
    ended: datetime,
    cause: str,
    root: str | None,
    state: str = "down",
) -> Outage:
    return Outage(name, kind, node, stamp(began), stamp(ended), state, cause, root, {})
