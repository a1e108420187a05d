"""Dated attributes: what is in force on a day, which codes collide, and which district a unit lies in."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory.calendar import dated, years_after
from inventory.declared import UnitsFile
from inventory.finding import Finding
from inventory.gaps import NO_GAPS
from inventory.load import load
from inventory.units import check_units, district_of, resolve_units
from inventory.validate import validate
from inventory.yamlfile import parse

GOOD = Path(__file__).parents[1] / "provinces" / "good"
TIERS = ("province", "district", "commune")
DAYS = st.dates(date(2000, 1, 1), date(2030, 1, 1))


@given(st.dictionaries(DAYS, st.text(min_size=1), min_size=1), DAYS)
def test_the_value_on_a_day_is_the_last_that_began(values: dict[date, str], day: date) -> None:
    begun = [start for start in sorted(values) if start <= day]
    assert dated(values).on(day) == values[begun[-1] if begun else min(values)]


@given(DAYS, st.integers(0, 25))
@example(date(2024, 2, 29), 1)
def test_a_warranty_ends_on_the_same_day_of_the_year(day: date, years: int) -> None:
    end = years_after(day, years)
    assert (end.year, end.month) == (day.year + years, day.month)
    assert end.day == day.day or (day.month, day.day, end.day) == (2, 29, 28)


def findings_of(text: str) -> list[Finding]:
    document, findings = parse(text.encode(), "units.yaml")
    assert document is not None, findings
    shape, findings = validate(document, UnitsFile)
    assert shape is not None, findings
    return list(check_units(document, shape, resolve_units(document, shape), TIERS, NO_GAPS))


def province_with(first: str, second: str) -> str:
    return (
        "units:\n  p: {tier: province, code: '1', type: t, name: P}\n"
        "  d: {tier: district, code: '2', type: t, name: D, parent: p}\n"
        f"  a: {{tier: commune, type: t, name: A, parent: d, {first}}}\n"
        f"  b: {{tier: commune, type: t, name: B, parent: d, {second}}}\n"
    )


CODES = [
    ("code: '9'", "code: '8'", None),
    ("code: '9'", "code: '9'", "always"),
    ("code: '9', until: 2020-01-01", "code: '9', since: 2020-01-01", None),
    ("code: '9', until: 2020-01-02", "code: '9', since: 2020-01-01", "since 2020-01-01"),
    ("code: {2010-01-01: '9', 2015-01-01: '7'}", "code: '9', since: 2015-01-01", None),
    ("code: {2010-01-01: '9', 2015-01-01: '7'}", "code: '9', since: 2014-12-31", "since 2014-12-31"),
    ("code: '9', since: 2030-01-01", "code: {2010-01-01: '9', 2020-01-01: '8'}", None),
    ("code: '2'", "code: '1'", None),  # a district's code may be a commune's too
]


@pytest.mark.parametrize(("first", "second", "when"), CODES)
def test_a_code_is_one_units_at_a_time(first: str, second: str, when: str | None) -> None:
    told = [
        (found.rule, dict(found.values)["when"], found.place.line)
        for found in findings_of(province_with(first, second))
    ]
    assert told == ([("duplicate-code", when, 5)] if when else [])


WRONG = [
    ("until: 2000-01-01, since: 2001-01-01", ["dates-out-of-order"]),
    ("until: 2030-01-01, into: [a, x]", ["unknown-unit"]),
    ("tier: comune", ["unknown-tier"]),
    ("parent: {2000-01-01: d, 2010-01-01: p}", ["wrong-unit-tier"]),
    ("parent: ", ["missing-key"]),
    ("parent: {2000-01-01: d, 2010-01-01: a}", ["wrong-unit-tier"]),
]


@pytest.mark.parametrize(("words", "rules"), WRONG)
def test_a_wrong_unit_is_told_once(words: str, rules: list[str]) -> None:
    keys = {word.split(":")[0].strip() for word in words.split(", ") if ":" in word}
    plain = {"tier": "commune", "type": "t", "name": "B", "parent": "d", "code": "'8'"}
    rest = ", ".join(f"{key}: {value}" for key, value in plain.items() if key not in keys)
    text = province_with("code: '9'", "code: '7'").replace(
        "  b: {tier: commune, type: t, name: B, parent: d, code: '7'}", ""
    )
    assert [found.rule for found in findings_of(f"{text}  b: {{{words}, {rest}}}\n")] == rules


def test_the_district_is_that_of_the_day_and_circles_end() -> None:
    text = (
        "units:\n  p: {tier: province, code: '1', type: t, name: P}\n"
        "  d: {tier: district, code: '2', type: t, name: D, parent: p}\n"
        "  e: {tier: district, code: '3', type: t, name: E, parent: p}\n"
        "  a: {tier: commune, code: '4', type: t, name: A, parent: {2000-01-01: d, 2020-01-01: e}}\n"
        "  x: {tier: commune, code: '5', type: t, name: X, parent: y}\n"
        "  y: {tier: commune, code: '6', type: t, name: Y, parent: x}\n"
    )
    document, _findings = parse(text.encode(), "units.yaml")
    assert document is not None
    shape, _findings = validate(document, UnitsFile)
    assert shape is not None
    units = resolve_units(document, shape)
    change = date(2020, 1, 1)
    assert district_of(units, "a", TIERS, change - timedelta(days=1)) == "d"
    assert district_of(units, "a", TIERS, change) == "e"
    assert district_of(units, "d", TIERS, change) == "d"
    assert district_of(units, "p", TIERS, change) == ""
    assert district_of(units, "x", TIERS, change) == ""
    assert district_of(units, "a", TIERS[:2], change) == ""


def test_a_unit_exists_from_its_first_day_to_the_one_before_its_end() -> None:
    unit = load(GOOD).units["nam-yen"]
    assert unit.exists(date.min)
    assert unit.exists(date(2024, 1, 1))
    assert not unit.exists(date.max)


REFORM = """units:
  p: {tier: province, code: '1', type: t, name: P}
  d: {tier: district, code: '2', type: t, name: D, parent: p, until: 2025-07-01, into: [a]}
  e: {tier: district, code: '3', type: t, name: E, parent: p, until: 2025-07-01}
  a: {tier: commune, code: '4', type: t, name: A, parent: {2000-01-01: d, 2025-07-01: p}}
  b: {tier: commune, code: '5', type: t, name: B, parent: d, until: 2025-07-01, into: [a]}
  c: {tier: commune, code: '5', type: t, name: C, parent: p, since: 2025-07-01}
"""
HALFWAY = [
    ("", "", None),
    ("parent: p, until: 2025-07-01}", "parent: p}", ("wrong-unit-tier", 5)),  # one district is left
    ("parent: p, until: 2025-07-01, into: [a]}", "parent: p}", ("wrong-unit-tier", 5)),
    ("parent: p, until: 2025-07-01}", "parent: p, until: 2025-07-02}", ("wrong-unit-tier", 5)),
    ("2025-07-01: p}}", "2025-06-30: p}}", ("wrong-unit-tier", 5)),
    ("since: 2025-07-01}", "since: 2025-06-30}", ("wrong-unit-tier", 7)),
    ("2025-07-01: p}}", "2025-07-02: p}}", ("parent-ended", 5)),
    ("parent: d, until: 2025-07-01", "parent: d, until: 2025-07-02", ("parent-ended", 6)),
]


@pytest.mark.parametrize(("right", "wrong", "told"), HALFWAY)
def test_communes_may_belong_to_the_province_once_there_are_no_districts(
    right: str, wrong: str, told: tuple[str, int] | None
) -> None:
    assert right in REFORM
    found = [(one.rule, one.place.line) for one in findings_of(REFORM.replace(right, wrong, 1))]
    assert [one for one in found if one[0] != "duplicate-code"][:1] == ([told] if told else [])


def test_a_province_is_drawn_in_the_old_tree_and_in_the_new() -> None:
    document, _findings = parse(REFORM.encode(), "units.yaml")
    assert document is not None
    shape, _findings = validate(document, UnitsFile)
    assert shape is not None
    units, reform = resolve_units(document, shape), date(2025, 7, 1)
    assert [district_of(units, "a", TIERS, day) for day in (reform - timedelta(days=1), reform)] == ["d", ""]
    assert [unit for unit in units if units[unit].exists(reform)] == ["p", "a", "c"]
