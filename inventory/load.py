"""Load a province: read its files, apply kinds and plans, check everything, and return one frozen value.

A `Loader` keeps what it read: after one changed file it reads and resolves that file only, so a watch can ask
it every second. All findings come at once, in the order of the files.
"""

import gc
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel

from inventory.declared import DeviceTypeFile, KindsFile, OfficesFile, PeopleFile, ServicesFile, UnitsFile
from inventory.declared_holidays import HolidaysFile
from inventory.declared_province import AddressPlan, ProvinceFile
from inventory.declared_rollouts import RolloutFile
from inventory.files import misplaced, paths_in
from inventory.finding import Finding, InvalidProvinceError, InventoryError, Place, finding
from inventory.gaps import NO_GAPS, Gaps
from inventory.holidays import resolve_holidays
from inventory.language import _
from inventory.model import Province, Rollout
from inventory.resolution import (
    Declared,
    Step,
    resolve_across,
    resolve_file,
    resolve_rollout_file,
    resolve_surroundings,
)
from inventory.services import resolve_people, resolve_services
from inventory.validate import names_in, salvage, validate
from inventory.yamlfile import Document, read

ShapeT = TypeVar("ShapeT", bound=BaseModel)
MARK = "province.yaml"


BY_THE_CALENDAR = frozenset({"unit-ended"})  # rules that a day alone breaks: told, but nothing stops at midnight


def serious(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return those findings with which a province cannot be used."""
    return tuple(found for found in findings if found.rule not in BY_THE_CALENDAR)


class ProvinceNotFoundError(InventoryError):
    """No folder with a province.yaml was named or lies above the current folder."""


def find(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds a province.yaml. Raises ProvinceNotFoundError."""
    for folder in (start.absolute(), *start.absolute().parents):
        inside = folder.name == "offices" and (folder.parent / MARK).is_file()  # offices/ may hold a province.yaml
        if (folder / MARK).is_file() and not inside:
            return folder
    raise ProvinceNotFoundError(
        _(
            "no province.yaml in {folder} or above it; go into a province's folder, name one with --province "
            "or TUYEN_PROVINCE, or make one with 'tuyen init DIR'"
        ).format(folder=start)
    )


@dataclass(frozen=True, eq=False)
class Reading(Generic[ShapeT]):
    """One file as it was read: what can be used of it, what is wrong with it, and what is missing because of that."""

    declared: Declared[ShapeT] | None
    findings: list[Finding]
    gaps: Gaps
    signature: tuple[int, ...] = ()  # of the file on disk; () when it must be read again


@dataclass(eq=False)
class _Notes:
    """What one examination gathers on its way."""

    findings: list[Finding] = field(default_factory=list)
    gaps: Gaps = NO_GAPS


_JUST_NOW = 50_000_000  # ns; a file may change again within one tick of the file system's clock


def _unknown(name: str, shape: ShapeT) -> Declared[ShapeT]:
    """Return a file that says nothing, to stand in for one that cannot be read."""
    return Declared(Document(name, {}, yaml.MappingNode("", [])), shape)


_UNKNOWN_HEAD = _unknown(
    MARK,
    ProvinceFile.model_construct(
        id="", name="", domain="", tiers=[], root="", modules={}, address_plan=AddressPlan.model_construct(networks=[])
    ),
)
_UNKNOWN_UNITS = _unknown("units.yaml", UnitsFile.model_construct(units={}))
_UNKNOWN_KINDS = _unknown("kinds.yaml", KindsFile.model_construct(roles={}, kinds={}))


@dataclass
class Loader:
    """Loads the province in `folder`, again and again, cheaply.

    `day` stands for today where province.yaml says no `as_of`; `as_of` goes over both. Today is that of each
    examination, as a watch goes on for months.
    """

    folder: Path
    day: date | None = None
    as_of: date | None = None
    _files: dict[str, Reading[Any]] = field(default_factory=dict)
    _steps: dict[str, tuple[tuple[Any, ...], Step]] = field(default_factory=dict)

    def load(self) -> Province:
        """Return the province. Raises InvalidProvinceError with every finding, if one of them is serious."""
        province, findings = self.examine()
        if province is None or serious(findings):
            raise InvalidProvinceError(findings)
        return province

    def examine(self) -> tuple[Province | None, tuple[Finding, ...]]:
        """Return the province as far as it can be made (None if its base cannot) and every finding, sorted."""
        notes = _Notes()
        with _without_collector():
            province = self._assemble(notes)
        return province, tuple(sorted(set(notes.findings), key=lambda found: (*found.place, found.rule)))

    def _assemble(self, notes: _Notes) -> Province | None:
        """Read every file, then resolve what can be; what is missing is noted, so that nothing is said twice."""
        head = self._file(MARK, ProvinceFile, notes)
        units = self._file("units.yaml", UnitsFile, notes)
        kinds = self._file("kinds.yaml", KindsFile, notes)
        types = self._folder("device-types", "*/*", DeviceTypeFile, notes)
        offices = self._folder("offices", "*", OfficesFile, notes)
        rollouts = self._folder("rollouts", "*", RolloutFile, notes)
        services = self._file("services.yaml", ServicesFile, notes, required=False)
        people = self._file("people.yaml", PeopleFile, notes, required=False)
        holidays = self._file("holidays.yaml", HolidaysFile, notes, required=False)
        notes.findings += misplaced(self.folder)
        if not offices and not notes.gaps.any("offices"):
            notes.findings.append(finding(Place("offices/"), "file-missing", what="offices/*.yaml"))
            notes.gaps = notes.gaps.plus("offices", None)
        if head is None:
            offices = ()  # without the address plan and the root nothing can be said of them
            notes.gaps = notes.gaps.plus("offices", None)
        province = self._resolve(
            head or _UNKNOWN_HEAD,
            units or _UNKNOWN_UNITS,
            kinds or _UNKNOWN_KINDS,
            types,
            offices,
            rollouts,
            notes,
        )
        if holidays:
            days, found = resolve_holidays(holidays.document, holidays.shape)
            notes.findings += found
            province = replace(province, holidays=days)
        return self._add_services_and_people(province, services, people, notes) if head and units and kinds else None

    def _resolve(
        self,
        head: Declared[ProvinceFile],
        units: Declared[UnitsFile],
        kinds: Declared[KindsFile],
        types: Iterable[Declared[DeviceTypeFile]],
        offices: Iterable[Declared[OfficesFile]],
        rollouts: Iterable[Declared[RolloutFile]],
        notes: _Notes,
    ) -> Province:
        as_of = self.as_of or head.shape.as_of or self.day or date.today()
        around = self._once("around", (head, units, kinds, *types, as_of, notes.gaps), resolve_surroundings, notes)
        groups = [self._once(file.document.file, (file, around), resolve_file, notes) for file in offices]
        for group in groups:
            notes.gaps = notes.gaps.plus("devices", group.unmade).plus("offices", group.unmade)
        province: Province = self._once("across", (head, around, notes.gaps, *groups), resolve_across, notes)
        made = self._rollouts(rollouts, province, notes)
        return replace(province, folder=str(self.folder), rollouts=made)

    def _rollouts(
        self, files: Iterable[Declared[RolloutFile]], province: Province, notes: _Notes
    ) -> dict[str, Rollout]:
        made: dict[str, Rollout] = {}
        for file in files:
            name = file.document.file
            rollout = self._once(name, (file, province, notes.gaps), resolve_rollout_file, notes)
            if rollout.name in made:
                other = made[rollout.name].place.file
                notes.findings.append(finding(Place(name), "duplicate-rollout", name=rollout.name, other=other))
            made[rollout.name] = rollout
        return made

    def _add_services_and_people(
        self,
        province: Province,
        services: Declared[ServicesFile] | None,
        people: Declared[PeopleFile] | None,
        notes: _Notes,
    ) -> Province:
        if services:
            made, found = resolve_services(services.document, services.shape, province, notes.gaps)
            notes.findings += found
            province = replace(province, services=made)
        if people:
            staff, found = resolve_people(people.document, people.shape, province, notes.gaps)
            notes.findings += found
            province = replace(province, people=staff)
        return province

    def _once(self, name: str, inputs: tuple[Any, ...], step: Callable[..., Step], notes: _Notes) -> Any:
        """Return what `step` makes of `inputs`; made anew only when one of them is another object than last time."""
        kept = self._steps.get(name)
        if kept is None or len(kept[0]) != len(inputs) or not all(map(_same, kept[0], inputs)):
            kept = self._steps[name] = (inputs, step(*inputs))
        notes.findings += kept[1][1]
        return kept[1][0]

    def _folder(self, folder: str, pattern: str, model: type[ShapeT], notes: _Notes) -> tuple[Declared[ShapeT], ...]:
        files = [self._file(name, model, notes) for name in paths_in(self.folder, folder, pattern)]
        return tuple(file for file in files if file)

    def _file(self, name: str, model: type[ShapeT], notes: _Notes, *, required: bool = True) -> Declared[ShapeT] | None:
        """Read one file, unless it is as it was. None when nothing of it can be used; `notes` then say why."""
        path = self.folder / name
        try:
            status = path.stat()
        except FileNotFoundError:
            self._files.pop(name, None)
            if required:
                notes.findings.append(finding(Place(name), "file-missing", what=name))
                notes.gaps = _join(notes.gaps, names_in(None, model))
            return None
        except OSError:
            status = None  # reading it will say why
        signature = _signature(status) if status else ()
        kept = self._files.get(name)
        if kept is None or not signature or kept.signature != signature:
            kept = self._files[name] = _read(path, name, model, signature)
        notes.findings += kept.findings
        notes.gaps = _join(notes.gaps, kept.gaps)
        return kept.declared


def load(folder: Path, *, as_of: date | None = None) -> Province:
    """Return the province in `folder`. Raises InvalidProvinceError with every finding, if one of them is serious."""
    return Loader(folder, as_of=as_of).load()


def _same(before: Any, now: Any) -> bool:
    return before is now or (isinstance(now, date | Gaps) and before == now)


def _signature(status: os.stat_result) -> tuple[int, ...]:
    """Return what tells that a file was changed, or () when it was changed so lately that this cannot tell."""
    if time.time_ns() - status.st_ctime_ns < _JUST_NOW:
        return ()
    return (status.st_ctime_ns, status.st_mtime_ns, status.st_size, status.st_ino)


def _join(gaps: Gaps, more: Gaps) -> Gaps:
    for heading in more.unread:
        gaps = gaps.plus(heading, None)
    for heading, names in more.names.items():
        gaps = gaps.plus(heading, names)
    return gaps


@contextmanager
def _without_collector() -> Iterator[None]:
    """Hold the cyclic collector: it would walk a hundred thousand new nodes again and again, to free nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read(path: Path, name: str, model: type[ShapeT], signature: tuple[int, ...]) -> Reading[ShapeT]:
    document, findings = read(path, name)
    if document is None:
        unreadable = any(found.rule == "file-unreadable" for found in findings)  # that may mend itself unseen
        return Reading(None, findings, names_in(None, model), () if unreadable else signature)
    shape, findings = validate(document, model)
    gaps = NO_GAPS
    if shape is None:
        shape, gaps = salvage(document, model)
    return Reading(Declared(document, shape) if shape else None, findings, gaps, signature)
