"""Rollouts as they are declared: what is carried to which devices, in which waves, and when offices may be touched."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from inventory.declared_province import ProvinceFile, WorkingHoursShape
from inventory.declared_rollouts import RolloutFile, WaveShape, WindowShape
from inventory.finding import Finding, Place, finding
from inventory.gaps import Gaps
from inventory.holidays import exceptions
from inventory.language import _
from inventory.model import (
    DeclaredGate,
    DeclaredWave,
    DeclaredWindow,
    Device,
    Limits,
    Office,
    Province,
    Rollout,
    WorkingHours,
)
from inventory.nearest import nearest
from inventory.selector import NothingChosenError, SelectorError, select_devices, select_offices
from inventory.windows import DAYS, Hours, Window
from inventory.yamlfile import Document

_LAST_DAY = date(9999, 12, 30)  # the last one that has a day after it
_SOME_DAY = (2024, 1, 1)  # windows are weekly: from any day on one sees whether they ever open
_WAYS = ("canary", "percent", "each", "rest")


def hours_of(province: Province, rollout: Rollout, device: Device) -> Hours:
    """Return when `device` may be worked on: in the rollout's windows for it, outside of its office's working hours."""
    windows = tuple(item.window for item in rollout.windows if device.id in item.devices)
    closed = tuple(item.window for item in province.working_hours if device.office in item.offices)
    closed = closed if rollout.respects_hours else ()
    return Hours(windows, closed, ZoneInfo(province.time_zone), exceptions(province.holidays))


def ends_at(province: Province, rollout: Rollout) -> datetime:
    """Return the moment from which nothing is owed any more: the end of the rollout's last day, in local time."""
    day = min(rollout.until, _LAST_DAY) + timedelta(days=1)
    return datetime.combine(day, time(), ZoneInfo(province.time_zone))


def resolve_working_hours(
    document: Document, shape: ProvinceFile, province: Province, gaps: Gaps
) -> tuple[tuple[WorkingHours, ...], list[Finding]]:
    """Return the working hours with the offices that keep them, and what is wrong with their selectors."""
    hours, findings = list[WorkingHours](), list[Finding]()
    written = shape.working_hours
    single = isinstance(written, WorkingHoursShape)
    for position, item in enumerate([written] if isinstance(written, WorkingHoursShape) else written):
        path: tuple[str | int, ...] = ("working_hours",) if single else ("working_hours", position)
        offices = frozenset(province.offices) - {shape.root}
        if item.select:
            place = document.place(*path, "select")
            ids, found = _select(select_offices, province, item.select, place, gaps)
            findings += found or _none_of(ids, place, item.select, _("the province's offices"), gaps)
            offices = frozenset(ids)
        hours.append(WorkingHours(item.select, _window(item), offices, document.place(*path)))
    return tuple(hours), findings


def resolve_rollout(
    document: Document, name: str, shape: RolloutFile, province: Province, gaps: Gaps
) -> tuple[Rollout, list[Finding]]:
    """Return one file's rollout with the devices that it chooses, and what is wrong with it."""
    place = document.place("select")
    devices, findings = _select(select_devices, province, shape.select, place, gaps)
    findings = findings or _none_of(devices, place, shape.select, _("the province's devices"), gaps)
    windows, found = _windows(document, shape, devices, province, gaps)
    rollout = Rollout(
        name=name,
        about=dict[str, str](shape.about.items()),
        job=shape.job,
        values=shape.values,
        select=shape.select,
        devices=devices,
        waves=tuple(_waves(document, shape)),
        gate=_gate(shape),
        windows=windows,
        respects_hours=shape.working_hours == "respected",
        limits=Limits(shape.limits.parallel, shape.limits.per_uplink, shape.limits.rate or 0),
        until=shape.until,
        on_failure=shape.on_failure,
        place=document.place(),
    )
    findings += [*found, *_check_waves(document, shape)]
    if devices and not _uncertain(gaps) and not any(_district(province, device) for device in devices):
        findings += _check_districts(rollout)
    if len(rollout.waves) == len(shape.waves) and not _uncertain(gaps) and _leaves_out(rollout, province):
        findings.append(finding(document.place("waves"), "waves-incomplete"))
    findings += _check_canaries(document, shape, devices, province, gaps)
    if not findings:  # what follows from those would only confuse
        findings += _check_hours(document, rollout, province)
    return rollout, findings


def _select(
    choose: Callable[[Province, str], Sequence[Device] | Sequence[Office]],
    province: Province,
    text: str,
    place: Place,
    gaps: Gaps,
) -> tuple[tuple[str, ...], list[Finding]]:
    """Return the ids that a selector chooses, in the order of the inventory, and why it cannot be followed."""
    try:
        return tuple(item.id for item in choose(province, text)), []
    except NothingChosenError as error:
        return (), [] if _uncertain(gaps) else [finding(place, "bad-selector", problem=error)]
    except SelectorError as error:
        return (), [finding(place, "bad-selector", problem=error)]


def _none_of(ids: Sequence[str], place: Place, text: str, whole: str, gaps: Gaps) -> list[Finding]:
    """Complain of a selector that chooses nothing, although all that it names exists."""
    return [] if ids or _uncertain(gaps) else [finding(place, "nothing-selected", select=text, whole=whole)]


def _uncertain(gaps: Gaps) -> bool:
    return gaps.any("offices", "units", "kinds", "devices")


def _window(shape: WindowShape | WorkingHoursShape) -> Window:
    return Window(frozenset(map(DAYS.index, shape.days)), shape.opens, shape.closes)


def _windows(
    document: Document, shape: RolloutFile, devices: Sequence[str], province: Province, gaps: Gaps
) -> tuple[tuple[DeclaredWindow, ...], list[Finding]]:
    windows, findings, whole = list[DeclaredWindow](), list[Finding](), frozenset(devices)
    for position, item in enumerate(shape.windows):
        chosen = whole
        if item.select:
            place = document.place("windows", position, "select")
            ids, found = _select(select_devices, province, item.select, place, gaps)
            chosen = whole.intersection(ids)
            if whole:
                found = found or _none_of(tuple(chosen), place, item.select, _("the rollout's devices"), gaps)
            findings += found
        windows.append(DeclaredWindow(item.select, _window(item), chosen, document.place("windows", position)))
    return tuple(windows), findings


def _gate(shape: RolloutFile) -> DeclaredGate:
    gate = shape.gate
    return DeclaredGate(gate.bake, gate.probes, gate.budget.devices, gate.budget.percent, gate.query)


def _waves(document: Document, shape: RolloutFile) -> Iterator[DeclaredWave]:
    """Yield the waves that say what they are."""
    for position, wave in enumerate(shape.waves):
        place = document.place("waves", position)
        if len(_ways(wave)) != 1:
            continue
        if wave.canary is not None:
            yield DeclaredWave("canary", wave.name or "canary", place, tuple(wave.canary), 0.0, wave.approvals)
        elif wave.percent is not None:
            yield DeclaredWave("percent", wave.name or f"{wave.percent:g} %", place, (), wave.percent, wave.approvals)
        elif wave.each:
            yield DeclaredWave("district", wave.name or "district", place, (), 0.0, wave.approvals)
        else:
            yield DeclaredWave("rest", wave.name or "rest", place, (), 0.0, wave.approvals)


def _ways(wave: WaveShape) -> list[str]:
    """Return the keys by which a wave says which devices it takes."""
    return [way for way in _WAYS if getattr(wave, way)]


def _check_waves(document: Document, shape: RolloutFile) -> Iterator[Finding]:
    for position, wave in enumerate(shape.waves):
        if len(ways := _ways(wave)) != 1:
            said = ", ".join(ways) or _("none of its devices")
            yield finding(document.place("waves", position), "bad-wave", said=said, words=", ".join(_WAYS))
        elif wave.rest and position + 1 < len(shape.waves):
            yield finding(document.place("waves", position), "wave-after-rest")


def _check_districts(rollout: Rollout) -> Iterator[Finding]:
    """Complain of waves by district where there are none: what they were to slow down would go out all at once."""
    for wave in rollout.waves:
        if wave.kind == "district":
            yield finding(wave.place, "wave-without-districts")


def _district(province: Province, device: str) -> str:
    return province.offices[province.devices[device].office].district


def _leaves_out(rollout: Rollout, province: Province) -> bool:
    """Whether devices may be in no wave at all."""
    kinds = {wave.kind for wave in rollout.waves}
    if "rest" in kinds or sum(wave.percent for wave in rollout.waves) >= 100:
        return False
    left = set(rollout.devices).difference(*(wave.devices for wave in rollout.waves))
    if "district" in kinds:
        left = {device for device in left if not _district(province, device)}
    return bool(left)


def _check_canaries(
    document: Document, shape: RolloutFile, devices: Sequence[str], province: Province, gaps: Gaps
) -> Iterator[Finding]:
    """Complain of canaries that are no devices, not among the rollout's, or named again."""
    waves: dict[str, int] = {}
    chosen = frozenset(devices)
    for number, wave in enumerate(shape.waves):
        for position, name in enumerate(wave.canary or ()):
            place = document.place("waves", number, "canary", position)
            if name not in province.devices:
                if not (gaps.has("devices", name) or gaps.has("offices", name.rpartition(".")[2])):
                    near = nearest(name, devices or province.devices)
                    yield finding(place, "unknown-device", name=name, near=near)
            elif chosen and name not in chosen:
                yield finding(place, "canary-not-selected", device=name, near=nearest(name, devices))
            elif name in waves:
                yield finding(place, "duplicate-canary", device=name, number=waves[name])
            waves.setdefault(name, number + 1)


def _check_hours(document: Document, rollout: Rollout, province: Province) -> Iterator[Finding]:
    """Complain of devices that have no window, or none that opens outside of their office's working hours."""
    without, never = list[str](), list[str]()
    for devices in _alike(rollout, province):
        hours = hours_of(province, rollout, province.devices[devices[0]])
        if rollout.windows and not hours.windows:
            without += devices
        elif hours.next_open(datetime(*_SOME_DAY, tzinfo=hours.zone)) is None:
            never += devices
    for rule, devices in (("no-window", without), ("never-open", never)):
        if devices:
            yield finding(document.place("windows"), rule, devices=_some(devices))


def _alike(rollout: Rollout, province: Province) -> Iterable[list[str]]:
    """Return the devices in groups of the same windows and working hours: few, however many devices there are."""
    groups: dict[tuple[bool, ...], list[str]] = {}
    windows = [item.devices for item in rollout.windows]
    closed = [item.offices for item in province.working_hours]
    for device in rollout.devices:
        office = province.devices[device].office
        key = (*[device in chosen for chosen in windows], *[office in chosen for chosen in closed])
        groups.setdefault(key, []).append(device)
    return groups.values()


def _some(devices: Sequence[str]) -> str:
    """Return a few devices by name, and how many more there are."""
    if len(devices) <= 2:
        return ", ".join(devices)
    return _("{first} and {count} more").format(first=devices[0], count=len(devices) - 1)
