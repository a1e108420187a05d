"""The administrative tree: units with permanent ids and dated codes, names, types and parents."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise

from inventory.calendar import dated, order_findings
from inventory.declared import UnitsFile, UnitShape
from inventory.finding import Finding, finding
from inventory.gaps import Gaps
from inventory.language import _
from inventory.model import Dated, Unit
from inventory.nearest import nearest
from inventory.yamlfile import Document


def resolve_units(document: Document, shape: UnitsFile) -> dict[str, Unit]:
    """Return the units by id, in the order of the file."""
    return {name: _unit(name, unit, document) for name, unit in shape.units.items()}


def _unit(name: str, shape: UnitShape, document: Document) -> Unit:
    return Unit(
        id=name,
        tier=shape.tier,
        code=dated(shape.code),
        name=dated(shape.name),
        type=dated(shape.type),
        parent=dated(shape.parent),
        place=document.place("units", name),
        since=shape.since,
        until=shape.until,
        into=tuple(shape.into),
        island=shape.island,
    )


def check_units(
    document: Document, shape: UnitsFile, units: Mapping[str, Unit], tiers: Sequence[str], gaps: Gaps
) -> Iterator[Finding]:
    """Complain of wrong tiers, parents, dates and codes."""
    ended = _ends(units)
    for name, unit in shape.units.items():
        for attribute in ("code", "name", "type", "parent"):
            yield from order_findings(document, ("units", name, attribute), getattr(unit, attribute))
        if unit.until <= unit.since:
            place = document.place("units", name, "until")
            yield finding(place, "dates-out-of-order", what="until", earlier=unit.until, later=unit.since)
        yield from _check_references(document, units[name], units, tiers, gaps, ended)
    if (
        tiers
        and not gaps.any("units")
        and not any(unit.tier == tiers[0] or unit.tier not in tiers for unit in units.values())
    ):
        yield finding(document.place("units"), "no-root-unit", tier=tiers[0])
    yield from _check_codes(document, units)


def _ends(units: Mapping[str, Unit]) -> dict[str, date]:
    """Return the first day on which no unit of a tier exists any more, by tier."""
    ends: dict[str, date] = {}
    for unit in units.values():
        ends[unit.tier] = max(unit.until, ends.get(unit.tier, date.min))
    return ends


def _check_references(
    document: Document,
    unit: Unit,
    units: Mapping[str, Unit],
    tiers: Sequence[str],
    gaps: Gaps,
    ended: Mapping[str, date],
) -> Iterator[Finding]:
    if unit.tier not in tiers:
        if tiers:
            place = document.place("units", unit.id, "tier")
            yield finding(place, "unknown-tier", name=unit.tier, near=nearest(unit.tier, tiers))
        return
    for successor in unit.into:
        if successor not in units and not gaps.has("units", successor):
            place = document.place("units", unit.id, "into")
            yield finding(place, "unknown-unit", name=successor, near=nearest(successor, units))
    yield from _check_parents(document, unit, units, tiers, gaps, ended)
    yield from _check_ends_of_parents(document, unit, units)


def _check_parents(
    document: Document,
    unit: Unit,
    units: Mapping[str, Unit],
    tiers: Sequence[str],
    gaps: Gaps,
    ended: Mapping[str, date],
) -> Iterator[Finding]:
    """A parent is of the tier above, or further up once the tiers between are gone, as districts are since 2025."""
    place = document.place("units", unit.id, "parent")
    depth = tiers.index(unit.tier)
    for day, parent in zip(unit.parent.since, unit.parent.values, strict=True):
        if depth == 0:
            if parent:
                yield finding(place, "root-unit-with-parent", tier=unit.tier)
        elif not parent:
            yield finding(place, "missing-key", key="parent", what=f"units.{unit.id}")
        elif parent not in units:
            if not gaps.has("units", parent):
                yield finding(place, "unknown-unit", name=parent, near=nearest(parent, units))
        elif units[parent].tier in tiers:
            tier, expected = units[parent].tier, tiers[depth - 1]
            between = tiers[tiers.index(tier) + 1 : depth]
            below = tiers.index(tier) >= depth
            if below or any(ended.get(name, date.min) > max(day, unit.since) for name in between):
                yield finding(place, "wrong-unit-tier", parent=parent, tier=tier, expected=expected)


def _check_ends_of_parents(document: Document, unit: Unit, units: Mapping[str, Unit]) -> Iterator[Finding]:
    """A unit that outlives its parent has another one then."""
    for start, end, name in _spans(unit, unit.parent):
        parent = units.get(name)
        if parent and parent.until < end:
            place = document.place("units", unit.id, "parent")
            yield finding(place, "parent-ended", parent=name, day=max(parent.until, start))


def _check_codes(document: Document, units: Mapping[str, Unit]) -> Iterator[Finding]:
    """A code names one unit of a tier at a time; later it may name another."""
    spans: dict[tuple[str, str], list[tuple[date, date, Unit]]] = {}
    for unit in units.values():
        for start, end, code in _spans(unit, unit.code):
            spans.setdefault((unit.tier, code), []).append((start, end, unit))
    for (_tier, code), held in spans.items():
        held.sort(key=lambda span: span[0])
        for (_s, end, first), (start, _e, second) in pairwise(held):
            if start < end:
                later = max(first, second, key=lambda unit: unit.place)
                other = first if later is second else second
                place = document.place("units", later.id, "code")
                day = max(start, later.since)
                when = _("since {day}").format(day=day) if day > date.min else _("always")
                yield finding(place, "duplicate-code", code=code, other=other.id, when=when)


def _spans(unit: Unit, value: Dated[str]) -> Iterator[tuple[date, date, str]]:
    """Yield the first day, the day after the last, and what a dated attribute of the unit is between them."""
    days = [max(day, unit.since) for day in value.since]
    days[0] = unit.since
    for start, end, held in zip(days, [*days[1:], unit.until], value.values, strict=True):
        if start < end:
            yield start, end, held


def district_of(units: Mapping[str, Unit], unit: str, tiers: Sequence[str], day: date) -> str:
    """Return the id of the unit of the second tier that `unit` is or lies in; "" above it or where there is none."""
    if len(tiers) < 3:
        return ""
    seen: set[str] = set()
    while unit in units and unit not in seen:
        if units[unit].tier == tiers[1]:
            return unit
        seen.add(unit)
        unit = units[unit].parent.on(day)
    return ""
