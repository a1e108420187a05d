"""Values are set in YAML text, and every other character of it stays."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.spreadsheet.edits import LayoutError, scalar, set_values
from inventory.yamlfile import parse

TEXT = """\
# The district.
block: 10.91.16.0/20   # twenty
offices:
  a:
    number: 1  # the first

    devices:
      box: {serial: 0012345, mac: 00:1D:AA:4B:2C:10}   # on the shelf
      ups:
        serial: "old"  # to be replaced
        owner: >
          several
          words

  # the second
  b: {number: 2}  # small
  c:
  d: {number: 4, devices: {box: {serial: X}}}
"""


def data(text: str) -> Any:
    document, findings = parse(text.encode(), "x.yaml")
    assert document, findings
    return document.data


def lines_changed(before: str, after: str) -> tuple[list[str], list[str]]:
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.mark.parametrize(
    ("path", "value", "gone", "new"),
    [
        (
            ("offices", "a", "devices", "ups", "serial"),
            "N1",
            ['        serial: "old"  # to be replaced'],
            ["        serial: N1  # to be replaced"],
        ),
        (
            ("offices", "a", "devices", "ups", "serial"),
            None,
            ['        serial: "old"  # to be replaced'],
            ["        serial: null  # to be replaced"],
        ),
        (("offices", "a", "devices", "ups", "mac"), "N1", [], ["        mac: N1"]),
        (
            ("offices", "a", "devices", "box", "owner"),
            "UBND: xã",
            ["      box: {serial: 0012345, mac: 00:1D:AA:4B:2C:10}   # on the shelf"],
            ['      box: {serial: 0012345, mac: 00:1D:AA:4B:2C:10, owner: "UBND: xã"}   # on the shelf'],
        ),
        (("offices", "a", "devices", "pc-1", "serial"), "N1", [], ["      pc-1: {serial: N1}"]),
        (
            ("offices", "b", "devices", "box", "serial"),
            "N1",
            ["  b: {number: 2}  # small"],
            ["  b:  # small", "    number: 2", "      box: {serial: N1}"],
        ),
        (("offices", "c", "devices", "box", "serial"), "N1", [], ["      box: {serial: N1}"]),
        (
            ("offices", "d", "devices", "box", "serial"),
            "N1",
            ["  d: {number: 4, devices: {box: {serial: X}}}"],
            ["  d: {number: 4, devices: {box: {serial: N1}}}"],
        ),
        (("offices", "b", "name"), "B", ["  b: {number: 2}  # small"], ["  b: {number: 2, name: B}  # small"]),
        (
            ("offices", "a", "devices", "ups", "owner"),
            "one",
            ["        owner: >", "          several", "          words"],
            ["        owner: one"],
        ),
    ],
)
def test_one_value_changes_its_own_lines_only(
    path: tuple[str, ...], value: str | None, gone: list[str], new: list[str]
) -> None:
    assert lines_changed(TEXT, set_values(TEXT, {path: value})) == (gone, new)


def test_many_values_at_once() -> None:
    values: dict[tuple[str, ...], str | None] = {
        ("offices", office, "devices", device, key): f"{office}-{device}-{key}"
        for office in "abcd"
        for device in ("box", "ups", "new")
        for key in ("serial", "owner")
    }
    after = set_values(TEXT, values)
    offices = data(after)["offices"]
    for (_top, office, _devices, device, key), value in values.items():
        assert offices[office]["devices"][device][key] == value
    assert (offices["a"]["number"], offices["b"]["number"], offices["d"]["number"]) == ("1", "2", "4")
    for kept in ("# The district.", "# twenty", "# the first", "# on the shelf", "# the second", "# small"):
        assert kept in after


@pytest.mark.parametrize("text", [TEXT.replace("\n", "\r\n"), TEXT.rstrip("\n")])
def test_other_line_ends_are_kept(text: str) -> None:
    after = set_values(text, {("offices", "b", "devices", "box", "serial"): "N1", ("offices", "e", "number"): "5"})
    assert after.count("\r\n") in (0, after.count("\n"))
    assert data(after)["offices"]["e"] == {"number": "5"}


def test_what_is_no_mapping_is_refused() -> None:
    for text, path in (("- a\n", ("a",)), ("a: 1\n", ("a", "b")), ("a: [1]\n", ("a", "b"))):
        with pytest.raises(LayoutError):
            set_values(text, {path: "x"})


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("FDO22431E0B", "FDO22431E0B"),
        ("2026-10-31", "2026-10-31"),
        ("20 Mbit/s", "20 Mbit/s"),
        ("UBND huyện An Biên", "UBND huyện An Biên"),
        ("0012345", '"0012345"'),
        ("1e5", "1e5"),
        ("no", '"no"'),
        ("null", '"null"'),
        ("a: b", '"a: b"'),
        ("- a", '"- a"'),
        ("", '""'),
        (None, "null"),
    ],
)
def test_quotes_stand_where_a_reader_would_see_something_else_than_text(text: str | None, written: str) -> None:
    assert scalar(text) == written


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(["a", "b", "c", "d"]), st.sampled_from(["box", "ups", "new"]))
def test_any_text_comes_back_from_any_place(text: str, office: str, device: str) -> None:
    after = set_values(TEXT, {("offices", office, "devices", device, "serial"): text})
    assert data(after)["offices"][office]["devices"][device]["serial"] == text
    assert yaml.safe_load(f"x: {scalar(text)}") is not None
