"""Every rule is broken once by a province of its own, `tests/provinces/bad/<rule>`, and says exactly what it should."""

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from inventory.finding import InvalidProvinceError
from inventory.load import BY_THE_CALENDAR, Loader, load
from inventory.rules import RULES

PROVINCES = Path(__file__).parents[1] / "provinces"
GOOD, BAD = PROVINCES / "good", PROVINCES / "bad"
# Rules of what is not a province's file: the vault, jobs, workbooks, and the files that an import would change.
ELSEWHERE = {
    "unknown-secret",
    "unknown-variable",
    "nothing-to-revert",
    "workbook-unreadable",
    "workbook-encrypted",
    "workbook-old-format",
    "workbook-too-large",
    "workbook-without-table",
    "sheet-skipped",
    "sheet-missing-column",
    "sheet-unknown-column",
    "sheet-duplicate-column",
    "sheet-merged",
    "sheet-formula",
    "sheet-error",
    "sheet-bad-date",
    "sheet-date-for-text",
    "sheet-long-number",
    "sheet-follows",
    "sheet-emptied",
    "sheet-moved",
    "sheet-new-office",
    "sheet-incomplete-device",
    "sheet-duplicate-row",
    "sheet-ambiguous",
    "sheet-no-effect",
    "file-not-editable",
    "file-changed",
}
CASES = sorted(path.name for path in BAD.iterdir())


def lay_over(overlay: Path, province: Path) -> None:
    """Put the files of `overlay` into `province`; delete.txt names files to remove, grow.txt files and their size."""
    deleted, grown = overlay / "delete.txt", overlay / "grow.txt"
    for name in deleted.read_text().split() if deleted.exists() else ():
        (province / name).unlink()
    for path in sorted(overlay.rglob("*")):
        target = province / path.relative_to(overlay)
        if path.is_dir():
            if target.is_file():
                target.unlink()
            target.mkdir(exist_ok=True)
        elif path.name not in ("delete.txt", "grow.txt", "expected.txt"):
            shutil.copy(path, target)
    for line in grown.read_text().splitlines() if grown.exists() else ():
        name, size = line.split()
        os.truncate(province / name, int(size))


@pytest.fixture
def province(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "province"))


def complaints(folder: Path) -> list[str]:
    return [str(finding) for finding in Loader(folder, day=date(2021, 1, 1)).examine()[1]]


def test_the_good_province_is_good() -> None:
    assert complaints(GOOD) == []


def test_every_rule_has_its_bad_province() -> None:
    proven_by_facts = {rule for rule in RULES if rule.startswith("drift-")}  # tests/inventory/test_facts.py
    assert set(CASES) == RULES.keys() - ELSEWHERE - proven_by_facts
    assert RULES.keys() >= ELSEWHERE


@pytest.mark.parametrize("rule", CASES)
def test_bad_province(rule: str, province: Path) -> None:
    lay_over(BAD / rule, province)
    expected = (BAD / rule / "expected.txt").read_text().splitlines()
    assert complaints(province) == expected
    assert any(f": {rule}: " in line for line in expected)
    assert len(expected) <= 3, "one mistake, one complaint, or very few"
    if rule in BY_THE_CALENDAR:
        assert load(province, as_of=date(2021, 1, 1)).offices
        return
    with pytest.raises(InvalidProvinceError):
        load(province, as_of=date(2021, 1, 1))


AB, KINDS, HEAD, SERVICES = "offices/an-bien.yaml", "kinds.yaml", "province.yaml", "services.yaml"
ELSEWHERE_IN_THE_FILES = [
    (
        KINDS,
        "extends: base\n    prefix_length: 24",
        "extends: bass\n    prefix_length: 24",
        "kinds.yaml:12:5: unknown-kind",
    ),
    (KINDS, "  base:\n", "  base:\n    tier: vilage\n", "kinds.yaml:8:5: unknown-tier"),
    (AB, "box: {", "cam: {role: server, type: draytek-vigor2927, count: 2, host: 20}\n      box: {", None),
    (
        AB,
        "box: {",
        "cam: {role: server, type: draytek-vigor2927, count: 2, host: 10}\n      box: {",
        f"{AB}:14:62: duplicate-host",
    ),
    (AB, "box: {", "pc: {count: 40}\n      box: {", f"{AB}:14:12: host-outside-prefix"),
    (AB, "pc-2: {absent: true}", "pc: {absent: true}", None),
    (AB, "pc-2: {absent: true}", "router: {gateway: false}", f"{AB}:10:3: no-gateway"),
    (AB, "pc-2: {absent: true}", "pc: {labels: {floor: '2'}, probes: [icmp]}", None),
    (AB, "pc-2: {absent: true}", "pc-2: {probes: [icpm]}", f"{AB}:15:23: unknown-module"),
    (AB, "pc-2: {absent: true}", "pc-2: {host: 32}", f"{AB}:15:14: duplicate-host"),
    (HEAD, "with: {community", "with: {prot: 1, community", "province.yaml:9:46: unknown-key"),
    (HEAD, "community: {secret: snmp-community}", "", "province.yaml:9:39: missing-key"),
    (
        HEAD,
        "modules:",
        "modules:\n  page: {probe: http, with: {body_must_match: '('}}",
        "province.yaml:9:30: wrong-option",
    ),
    (SERVICES, "host: motcua", "hots: motcua", "services.yaml:6:52: unknown-key"),
    (SERVICES, "tier in (district, commune)", "tier=comune", "services.yaml:4:5: bad-selector"),
    (SERVICES, "users: tier in", "users: teir in", "services.yaml:4:5: bad-selector"),
]


@pytest.mark.parametrize(("name", "right", "wrong", "told"), ELSEWHERE_IN_THE_FILES)
def test_the_same_rules_elsewhere(name: str, right: str, wrong: str, told: str | None, province: Path) -> None:
    path = province / name
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    assert [": ".join(line.split(": ")[:2]) for line in complaints(province)] == ([told] if told else [])


def test_a_province_without_offices_is_one_complaint(province: Path) -> None:
    shutil.rmtree(province / "offices")
    assert [line.split(": ")[0] for line in complaints(province)] == ["offices/:1:1"]


SEVERAL = {
    "province.yaml": ("domain: good.example", "domain: good_example"),
    "units.yaml": ("parent: an-bien}\n  nam-yen", "parent: an-bin}\n  nam-yen"),
    "kinds.yaml": ("    prefix_length: 24\n", "    prefix_length: 24\n    colour: red\n"),
    "services.yaml": ("module: https", "module: htps"),
    "people.yaml": ("[operator]", "[operater]"),
    "device-types/DrayTek/Vigor2927.yaml": ("u_height: 1", "u_height: one"),
    "offices/an-bien.yaml": ("serial: 0012345,", "serial: 0012345, colour: red,"),
}
TOLD = [
    "device-types/DrayTek/Vigor2927.yaml:4:1: wrong-type",
    "kinds.yaml:14:5: unknown-key",
    "offices/an-bien.yaml:14:30: unknown-key",
    "people.yaml:4:13: unknown-value",
    "province.yaml:3:1: bad-host-name",
    "services.yaml:6:10: unknown-module",
    "units.yaml:4:73: unknown-unit",
]


def test_faults_in_all_files_are_told_at_once_in_order_and_nothing_that_only_follows(province: Path) -> None:
    for name, (right, wrong) in SEVERAL.items():
        path = province / name
        text = path.read_text()
        assert right in text
        path.write_text(text.replace(right, wrong, 1))
    assert [": ".join(line.split(": ")[:2]) for line in complaints(province)] == TOLD


@pytest.mark.parametrize("name", sorted(path.relative_to(GOOD).as_posix() for path in GOOD.rglob("*.yaml")))
@pytest.mark.parametrize("fault", ["x: [1, 2\n", "- not a mapping\n", "\N{BOX DRAWINGS LIGHT HORIZONTAL}: 1\n"])
def test_one_broken_file_is_one_complaint(name: str, fault: str, province: Path) -> None:
    path = province / name
    path.write_text(fault if fault.startswith("-") else path.read_text() + fault)
    assert {line.split(":")[0] for line in complaints(province)} == {name}
    assert len(complaints(province)) == 1


def test_beside_a_broken_file_the_others_are_still_judged(province: Path) -> None:
    (province / "province.yaml").write_text("id: [")
    kinds = province / "kinds.yaml"
    kinds.write_text(kinds.read_text().replace("role: router", "role: ruter"))
    assert [line.split(": ")[1] for line in complaints(province)] == ["unknown-role", "file-truncated"]


def test_an_office_that_is_wrong_in_itself_does_not_make_others_wrong(province: Path) -> None:
    path = province / "offices" / "an-bien.yaml"
    path.write_text(path.read_text().replace("kind: hall", "kind: hall\n    colour: red"))
    services = province / "services.yaml"
    services.write_text(services.read_text().replace("tier in (district, commune)", "under=an-bien"))
    assert [line.split(": ")[1] for line in complaints(province)] == ["unknown-key"]
