"""The loader: what it keeps it keeps rightly, a long chain of anything does not break it, and it is quick."""

import os
import shutil
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.finding import InvalidProvinceError
from inventory.load import Loader, ProvinceNotFoundError, find, load

GOOD = Path(__file__).parents[1] / "provinces" / "good"
DAY = date(2021, 1, 1)
CANNOT_HAVE_CHANGED = 0.06  # s; younger files are read again, as their clock may not have ticked


@pytest.fixture
def province(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "province"))


def swap(name: str, right: str, wrong: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / name
        if path.is_file():
            text = path.read_text()
            path.write_text(text.replace(right, wrong) if right in text else text.replace(wrong, right))

    return edit


def remove(name: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        if (folder / name).is_file():
            (folder / name).unlink()
        else:
            shutil.copy(GOOD / name, folder / name)

    return edit


def add(folder: Path) -> None:
    path = folder / "offices" / "new.yaml"
    if path.exists():
        path.unlink()
    else:
        path.write_text("block: 10.91.32.0/20\nparent: centre\noffices: {nam: {unit: mau, kind: commune, number: 1}}\n")


EDITS: list[Callable[[Path], None]] = [
    add,
    *(remove(path.relative_to(GOOD).as_posix()) for path in sorted(GOOD.rglob("*.yaml"))),
    swap("offices/an-bien.yaml", "number: 3", "number: 4"),  # of the same length
    swap("offices/an-bien.yaml", "kind: hall", "kind: hull"),
    swap("offices/an-bien.yaml", "block: 10", "block: [10"),
    swap("offices/an-bien.yaml", "serial: 0012345", "colour: red"),
    swap("offices/province.yaml", "number: 0", "number: 1"),
    swap("kinds.yaml", "host: 30, count: 3", "host: 30, count: 2"),
    swap("kinds.yaml", "  hall:", "  hell:"),
    swap("kinds.yaml", "host: 10", "host: x"),
    swap("units.yaml", "parent: mau", "parent: mao"),
    swap("units.yaml", "name: Xã Nam Yên", "nane: Xã Nam Yên"),
    swap("province.yaml", "as_of: 2020-12-31", "# none"),
    swap("province.yaml", "root: centre", "root: an-bien"),
    swap("province.yaml", "id: good", "id: GOOD"),
    swap("province.yaml", "probe: snmp", "probe: snap"),
    swap("services.yaml", "web.centre", "wob.centre"),
    swap("people.yaml", "under: centre", "under: center"),
    swap("rollouts/agent.yaml", "box.dong-yen", "box.nam-yen"),
    swap("rollouts/agent.yaml", "each: district", "rest: false"),
    swap("rollouts/agent.yaml", "job: one", "job: [one"),
    swap("province.yaml", "id: good\nname", "id: good\nworking_hours: {opens: 05:00}\nname"),
    swap("device-types/DrayTek/Vigor2927.yaml", "slug: draytek-vigor2927", "slug: other"),
    swap("device-types/DrayTek/Vigor2927.yaml", "warranty_years: 2", "warranty_years: 3"),
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(EDITS), min_size=1, max_size=8))
def test_after_any_edits_a_loader_says_what_a_new_one_would(
    tmp_path_factory: pytest.TempPathFactory, edits: list[Callable[[Path], None]]
) -> None:
    folder = Path(shutil.copytree(GOOD, tmp_path_factory.mktemp("edits") / "province"))
    loader = Loader(folder, day=DAY)
    loader.examine()
    for edit in edits:
        edit(folder)
        assert loader.examine() == Loader(folder, day=DAY).examine()
    shutil.rmtree(folder.parent)


def test_every_edit_can_be_undone(province: Path) -> None:
    loader = Loader(province, day=DAY)
    before = loader.examine()
    for edit in EDITS:
        edit(province)
        assert loader.examine() != before
        edit(province)
        assert loader.examine() == before


def test_only_the_changed_file_is_read_again(province: Path) -> None:
    time.sleep(CANNOT_HAVE_CHANGED)
    loader = Loader(province, day=DAY)
    loader.examine()
    before = dict(loader._files)
    swap("offices/an-bien.yaml", "number: 3", "number: 4")(province)
    loader.examine()
    assert {name for name in before if loader._files[name] is not before[name]} == {"offices/an-bien.yaml"}


def test_a_change_within_one_tick_of_the_clock_is_seen(province: Path) -> None:
    loader = Loader(province, day=DAY)
    path = province / "offices" / "an-bien.yaml"
    text, stamp = path.read_text(), path.stat().st_mtime_ns
    for number in "456789" * 5:
        path.write_text(text.replace("number: 3", f"number: {number}"))
        os.utime(path, ns=(stamp, stamp))
        made, _findings = loader.examine()
        assert made is not None
        assert made.offices["nam-yen"].prefix == load(province, as_of=DAY).offices["nam-yen"].prefix


def test_a_change_that_keeps_size_and_date_is_seen(province: Path) -> None:
    loader = Loader(province, day=DAY)
    path = province / "offices" / "an-bien.yaml"
    time.sleep(CANNOT_HAVE_CHANGED)
    before, stamp = loader.examine()[0], path.stat().st_mtime_ns
    swap("offices/an-bien.yaml", "number: 3", "number: 4")(province)
    os.utime(path, ns=(stamp, stamp))
    assert loader.examine()[0] != before


def test_the_day_is_todays_unless_the_province_or_the_caller_says_otherwise(province: Path) -> None:
    assert load(province).as_of == date(2020, 12, 31)
    assert load(province, as_of=DAY).as_of == DAY
    swap("province.yaml", "as_of: 2020-12-31", "")(province)
    assert Loader(province, day=DAY).load().as_of == DAY


def test_a_loader_that_lives_on_over_midnight_reads_the_new_day(
    province: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap("province.yaml", "as_of: 2020-12-31", "")(province)
    swap("units.yaml", "name: Xã Nam Yên", "name: {2018-01-01: Xã Nam Yên, 2021-01-02: Phường Nam Yên}")(province)
    loader, names = Loader(province), []
    for day in (DAY, DAY + timedelta(days=1)):
        monkeypatch.setattr("inventory.load.date", _calendar(day))
        names.append(loader.load().offices["nam-yen"].name)
    assert names == ["Xã Nam Yên", "Phường Nam Yên"]


def _calendar(day: date) -> type[date]:
    class Calendar(date):
        @classmethod
        def today(cls) -> "Calendar":
            return cls(day.year, day.month, day.day)

    return Calendar


def test_a_unit_that_ends_is_told_and_stops_nothing(province: Path) -> None:
    ending = "name: Xã Nam Yên, until: 2021-01-02, into: [dong-yen]"
    swap("units.yaml", "name: Xã Nam Yên", ending)(province)
    assert load(province, as_of=DAY).offices["nam-yen"].unit == "nam-yen"
    after = Loader(province, as_of=DAY + timedelta(days=1))
    assert [found.rule for found in after.examine()[1]] == ["unit-ended"]
    assert after.load().offices["nam-yen"].district == "an-bien"
    swap("people.yaml", "under: centre", "under: center")(province)
    with pytest.raises(InvalidProvinceError):
        after.load()


def test_load_raises_every_finding_as_text(province: Path) -> None:
    swap("kinds.yaml", "role: router", "role: ruter")(province)
    swap("people.yaml", "under: centre", "under: center")(province)
    with pytest.raises(InvalidProvinceError) as caught:
        load(province)
    assert [finding.rule for finding in caught.value.findings] == ["unknown-role", "unknown-office"]
    assert str(caught.value).splitlines() == [str(finding) for finding in caught.value.findings]


def test_a_province_is_found_upward(province: Path, tmp_path: Path) -> None:
    assert find(province / "offices") == province
    with pytest.raises(ProvinceNotFoundError, match=r"no province\.yaml in"):
        find(tmp_path)


def write_chain(folder: Path, length: int, first: str = "centre") -> None:
    """Make offices a chain behind `first`, and put a hundred kinds and services in chains of their own beside it."""
    lines = ["block: 10.91.128.0/17\nkind: base\noffices:\n"]
    for number in range(length):
        parent = f"o{number - 1}" if number else first
        prefix = f"10.91.{128 + number // 64}.{number % 64 * 4}/30"
        lines.append(f"  o{number}: {{unit: mau, prefix: {prefix}, uplink: {{parent: {parent}}}}}\n")
    (folder / "offices" / "an-bien.yaml").write_text("".join(lines))
    shutil.rmtree(folder / "rollouts")  # of devices that are gone
    kinds = folder / "kinds.yaml"
    chained = (f"  k{number}: {{extends: {f'k{number - 1}' if number else 'base'}}}\n" for number in range(100))
    kinds.write_text(kinds.read_text() + "".join(chained))
    probe = "probes: [{module: https, device: web.centre}]"
    needing = (f"  s{number}: {{name: S, needs: [s{number + 1}], {probe}}}\n" for number in range(100))
    (folder / "services.yaml").write_text(f"services:\n{''.join(needing)}  s100: {{name: S, {probe}}}\n")


def test_chains_of_five_thousand_are_loaded(province: Path) -> None:
    write_chain(province, 5000)
    before = time.monotonic()
    assert Loader(province, day=DAY).examine()[1] == ()
    assert time.monotonic() - before < 5


def test_a_circle_of_five_thousand_is_one_complaint_of_a_bearable_length(province: Path) -> None:
    write_chain(province, 5000, first="o4999")
    findings = Loader(province, day=DAY).examine()[1]
    assert [finding.rule for finding in findings] == ["uplink-circle"]
    assert len(str(findings[0])) < 1000
