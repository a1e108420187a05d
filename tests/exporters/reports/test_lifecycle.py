"""The lifecycle report: ages, what has ended and what is ending, and which dates are missing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.reports.equipment import LifecycleReport
from exporters.reports.items import lifecycle_items, lifecycle_summary
from exporters.reports.lifecycle import lifecycle
from exporters.reports.scope import scope
from inventory.load import load
from inventory.model import Device, Province
from tests.exporters.test_health import GOOD

TODAY = date(2026, 11, 25)
DATES = st.none() | st.dates(date(2010, 1, 1), date(2032, 1, 1))


@pytest.fixture
def province() -> Province:
    return load(GOOD)


def with_dates(province: Province, dates: Mapping[str, tuple[date | None, date | None]]) -> Province:
    """Return the province with other days of purchase and of warranty."""
    devices: dict[str, Device] = dict(province.devices)
    for name, (bought, warranty) in dates.items():
        devices[name] = replace(devices[name], bought=bought, warranty=warranty)
    return replace(province, devices=devices)


def report(province: Province, under: str = "") -> LifecycleReport:
    return lifecycle(scope(province, under), TODAY, 180)


def test_states_change_on_the_day(province: Province) -> None:
    last_days = {
        "router.dong-yen": (TODAY - timedelta(days=1), "ended"),
        "router.nam-yen": (TODAY, "ending"),
        "router.an-bien": (TODAY + timedelta(days=180), "ending"),
        "router.centre": (TODAY + timedelta(days=181), "valid"),
        "box.nam-yen": (None, "missing"),
    }
    found = report(with_dates(province, {name: (None, day) for name, (day, _state) in last_days.items()}))
    states = {row.id: row.warranty_state for row in found.devices}
    assert {name: states[name] for name in last_days} == {name: state for name, (_day, state) in last_days.items()}
    due = [row.id for row in found.warranty_due if row.id in last_days]
    assert due == ["router.dong-yen", "router.nam-yen", "router.an-bien"]


def test_ages_are_whole_years(province: Province) -> None:
    days = {
        "router.dong-yen": date(2023, 11, 26),  # three years tomorrow
        "router.nam-yen": date(2023, 11, 25),
        "router.an-bien": date(2018, 11, 26),
        "router.centre": date(2018, 11, 25),
        "box.nam-yen": TODAY + timedelta(days=1),  # not there yet
    }
    bought = {name: (days.get(name), None) for name in province.devices}
    found = report(with_dates(province, bought))
    assert found.total.ages == (1, 1, 1, 1)
    assert (found.total.devices, found.total.dated) == (len(province.devices) - 1, 4)
    assert found.total.oldest == date(2018, 11, 25)
    assert found.total.mean_age_days is not None
    assert found.total.mean_age_days * 4 == sum((TODAY - days[n]).days for n in days if days[n] <= TODAY)
    assert "box.nam-yen" not in {row.id for row in found.devices}


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_groups_count_every_device_once(data: st.DataObject) -> None:
    province = load_once()
    dates = {name: (data.draw(DATES), data.draw(DATES)) for name in province.devices}
    found = report(with_dates(province, dates))
    there = [row for row in found.devices if row.bought is None or row.bought <= TODAY]
    assert len(there) == len(found.devices) == sum(b is None or b <= TODAY for b, _w in dates.values())
    for groups in (found.tiers, found.roles, found.types, (found.total,)):
        assert sum(row.devices for row in groups) == len(there)
        assert sum(sum(row.ages) for row in groups) == sum(row.dated for row in groups)
        counted = [
            row.warranty_ended + row.warranty_ending + row.warranty_valid + row.warranty_missing for row in groups
        ]
        assert counted == [row.devices for row in groups]
    ended = [row for row in there if row.warranty and row.warranty < TODAY]
    assert found.total.warranty_ended == len(ended)
    assert len(found.warranty_due) == found.total.warranty_ended + found.total.warranty_ending
    assert list(found.warranty_due) == sorted(found.warranty_due, key=lambda row: (row.warranty, row.id))
    assert {row.id for row in found.missing} == {
        row.id for row in there if row.bought is None or row.warranty is None or row.end_of_support is None
    }


_LOADED: list[Province] = []


def load_once() -> Province:
    if not _LOADED:
        _LOADED.append(load(GOOD))
    return _LOADED[0]


def test_districts_and_scope(province: Province) -> None:
    found = report(province)
    assert [(row.id, row.name) for row in found.districts] == [("an-bien", "Huyện An Biên")]
    only = report(province, "dong-yen")
    assert {row.office for row in only.devices} == {"dong-yen"}
    assert only.total.id == "dong-yen"


def test_the_form_for_programs(province: Province) -> None:
    found = report(province)
    item = next(item for item in lifecycle_items(found) if item["id"] == "router.dong-yen")
    assert (item["bought"], item["warranty"], item["warranty_state"]) == ("2019-06-15", "2021-06-15", "ended")
    told = lifecycle_summary(found)
    assert told["groups"][0]["ages"] == {"under_3": 0, "3_to_5": 0, "5_to_8": 4, "8_or_more": 0}
    assert told["warranty_due"][0] == "box.dong-yen"
