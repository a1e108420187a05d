"""holidays.yaml: what it may hold, and the public holidays of the example."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from inventory.load import Loader, load
from inventory.model import Holiday, Province
from inventory.template import EXAMPLE

GOOD = Path(__file__).parents[1] / "provinces" / "good"
YEARS = (2024, 2025, 2026)


@pytest.fixture(scope="module")
def kien_giang() -> Province:
    return load(EXAMPLE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "province"))


def test_holidays_are_in_order_of_time_with_their_place(folder: Path) -> None:
    (folder / "holidays.yaml").write_text(
        "holidays:\n  2026-09-02: Quốc khánh\n  2026-08-22: {name: Làm bù, working: true}\n  2026-09-01: {name: Lễ}\n"
    )
    found = load(folder).holidays
    assert list(found) == [date(2026, 8, 22), date(2026, 9, 1), date(2026, 9, 2)]
    assert [(one.name, one.working, one.place.line) for one in found.values()] == [
        ("Làm bù", True, 3),
        ("Lễ", False, 4),
        ("Quốc khánh", False, 2),
    ]
    assert load(GOOD).holidays == {}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("2/9/2026: Quốc khánh", "holidays.yaml:2:3: bad-date: holidays.2/9/2026: '2/9/2026' is no date"),
        ("2026-09-02: {name: Lễ, workin: true}", "2:26: unknown-key: no key 'workin' is known in holidays.2026-09-02"),
        ("2026-09-02: {working: true}", "2:3: missing-key: the key 'name' is missing in holidays.2026-09-02"),
        ("2026-09-02: {name: Lễ, working: maybe}", "wrong-type: holidays.2026-09-02.working is 'maybe'"),
        ("2026-09-02: a\n  2026-09-02: b", "3:3: duplicate-key"),
        ("2026-09-05: {name: Làm bù, working: true}", None),
        ("2026-09-04: {name: Làm bù, working: true}", "working-weekday: 2026-09-04 is neither a Saturday nor"),
    ],
)
def test_what_cannot_be_meant_is_told(written: str, told: str | None, folder: Path) -> None:
    (folder / "holidays.yaml").write_text(f"holidays:\n  {written}\n")
    _province, findings = Loader(folder).examine()
    assert len(findings) == (1 if told else 0), findings
    assert told is None or told in str(findings[0])


def days_off(province: Province, year: int) -> dict[date, Holiday]:
    return {day: one for day, one in province.holidays.items() if day.year == year and not one.working}


@pytest.mark.parametrize("year", YEARS)
def test_the_example_has_the_days_that_the_law_names(kien_giang: Province, year: int) -> None:
    found = days_off(kien_giang, year)
    for month, day in ((1, 1), (4, 30), (5, 1), (9, 2)):
        assert date(year, month, day) in found
    assert date(year, 9, 1) in found or date(year, 9, 3) in found
    tet = [day for day, one in found.items() if one.name.startswith("Tết Nguyên đán")]
    assert tet == [tet[0] + timedelta(days=number) for number in range(len(tet))]
    assert sum(day.weekday() < 5 for day in tet) == 5
    assert sum(one.name.startswith("Giỗ Tổ") for day, one in found.items() if day.weekday() < 5) == 1


def test_every_swapped_day_of_the_example_has_its_saturday(kien_giang: Province) -> None:
    swapped = [day for day, one in kien_giang.holidays.items() if "hoán đổi" in one.name]
    worked = {one.name: day for day, one in kien_giang.holidays.items() if one.working}
    assert len(swapped) == len(worked) == 4
    for day in swapped:
        saturday = worked[f"Làm bù cho ngày {day.day}/{day.month}"]
        assert saturday.weekday() == 5
        assert abs(saturday - day) <= timedelta(days=10)
        assert day.weekday() < 5
