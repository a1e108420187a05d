"""What is done by itself, and when: one row a job."""

from collections.abc import Iterator
from datetime import time
from typing import NamedTuple

from exporters.units.place import Place
from inventory.model import Province

PASSPHRASE = "backup-passphrase"  # noqa: S105  (what systemd calls it)


class Job(NamedTuple):
    """A service with a timer.

    `commands` are what follows the program, `calendar` is in systemd's form; `writes` are the folders that it writes
    beside the state; `network`: it asks or tells others; `fine`: it may end with 1 without having failed; `vault` and
    `seals`: it needs the vault's password, or what seals backups.
    """

    name: str
    about: str
    commands: tuple[tuple[str, ...], ...]
    calendar: str
    writes: tuple[str, ...] = ()
    network: bool = False
    fine: bool = False
    after: tuple[str, ...] = ()
    vault: bool = False
    seals: bool = False


def jobs(province: Province, place: Place) -> tuple[Job, ...]:
    """Return the jobs of a province, in the order of their names."""
    return tuple(sorted((*_nightly(province, place), *_reports(province, place))))


def _nightly(province: Province, place: Place) -> Iterator[Job]:
    remote = bool(province.database)
    save = ("state", "backup", *(("--passphrase-file", f"%d/{PASSPHRASE}") if place.passphrase else ()))
    yield Job("backup", "save the state", (save,), _nightly_at(province, 0), (place.backups,), remote, seals=True)
    yield Job("audit", "check the audit trail", (("audit-log", "verify"),), _nightly_at(province, 15), (), remote)
    yield Job("certificates", "check its own certificates", (("schedule", "certificates"),), _nightly_at(province, 20))
    facts = f"{place.province}/facts"
    # Offices that are away are normal, and no reason to wake anybody up: the watch tells of them.
    yield Job(
        "facts",
        "ask machines what they are",
        (("facts",),),
        _nightly_at(province, 30),
        (facts,),
        True,
        True,
        vault=True,
    )
    drift = (("inventory", "drift"),)
    yield Job(
        "drift", "compare facts and declaration", drift, _nightly_at(province, 120), after=("tuyen-facts.service",)
    )


def _reports(province: Province, place: Place) -> Iterator[Job]:
    remote = bool(province.database)
    for name, command, days, later in (
        ("report-daily", "daily", "*-*-*", 0),
        ("report-weekly", "weekly", "Mon *-*-*", 5),
        ("report-monthly", "uptime", "*-*-01", 10),
    ):
        words = ("report", command, "--out-dir", place.reports, "--format")
        commands = tuple((*words, form) for form in province.schedule.reports_formats)
        when = _at(province, days, province.schedule.reports_at, later)
        yield Job(name, f"write the {name.removeprefix('report-')} report", commands, when, (place.reports,), remote)


def _nightly_at(province: Province, later: int) -> str:
    return _at(province, "*-*-*", province.schedule.night, later)


def _at(province: Province, days: str, start: time, later: int) -> str:
    """Return so many minutes after `start` on those days, in the province's time."""
    minutes = (start.hour * 60 + start.minute + later) % (24 * 60)
    return f"{days} {minutes // 60:02}:{minutes % 60:02}:00 {province.time_zone}"
