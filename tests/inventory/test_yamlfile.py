"""Hostile, broken and merely odd files: each gives findings or data, in bounded time, and never an exception."""

import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.finding import Place
from inventory.load import Loader
from inventory.yamlfile import MAX_BYTES, parse, read

GOOD = Path(__file__).parents[1] / "provinces" / "good"
FILES = {path.relative_to(GOOD).as_posix(): path.read_bytes() for path in sorted(GOOD.rglob("*.yaml"))}


@pytest.fixture
def province(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "province"))


def rules_of(raw: bytes) -> list[str]:
    document, findings = parse(raw, "file.yaml")
    assert (document is None) == bool(findings)
    return [finding.rule for finding in findings]


DATA = {
    "a: 1": {"a": "1"},
    "a: no\nb: 0x10\nc: 1e3\nd: 2026-02-30\ne: 012": {
        "a": "no",
        "b": "0x10",
        "c": "1e3",
        "d": "2026-02-30",
        "e": "012",
    },
    "a:\nb: ~\nc: null\nd: ''\ne: 'null'": {"a": None, "b": None, "c": None, "d": "", "e": "null"},
    "1: a\nnull: b": {"1": "a", "null": "b"},
    "\ufeffa: 1\r\nb: 2\r\n": {"a": "1", "b": "2"},
    "a: 1\rb: 2\r": {"a": "1", "b": "2"},
    "---\na: 1\n...\n": {"a": "1"},
    "a: !!str 1\nb: ! 2": {"a": "1", "b": "2"},
    "a: 'x & y * z !'": {"a": "x & y * z !"},
    "<<: {b: 1}\na: <<": {"<<": {"b": "1"}, "a": "<<"},
    "a: |\n  one\n\n  two\n": {"a": "one\n\ntwo\n"},
    'a: "tab\\there"': {"a": "tab\there"},
    "? " + "k" * 5000 + "\n: 1": {"k" * 5000: "1"},
    "a: " + "[" * 22 + "]" * 22: None,
}


@pytest.mark.parametrize("text", DATA, ids=lambda text: repr(text[:30]))
def test_what_is_yaml_is_read_as_text(text: str) -> None:
    document, findings = parse(text.encode(), "file.yaml")
    assert findings == []
    assert document is not None
    assert DATA[text] is None or document.data == DATA[text]


REFUSED = {
    b"a: 1\nb: \x00": ("bad-character", 2, 4),
    b"a: \x1b[31m": ("bad-character", 1, 4),
    b'a: "\\x1b[31m"': ("bad-character", 1, 4),
    b'"\\e": 1': ("bad-character", 1, 1),
    b'a: "\\u202e"': ("bad-character", 1, 4),
    "a: Xã \u202eex.yaml".encode(): ("bad-character", 1, 7),
    b"a: \x7f": ("bad-character", 1, 4),
    b'a: "\\ud800"': ("yaml-syntax", 1, 7),
    "a: An Biên".encode("latin-1"): ("bad-encoding", 1, 9),
    "Đ: An Biên".encode("utf-16"): ("bad-encoding", 1, 1),
    "Đông Yên: ".encode() + b"\xff": ("bad-encoding", 1, 11),
    b"": ("file-empty", 1, 1),
    b"\xef\xbb\xbf \n": ("file-empty", 1, 1),
    b"# nothing yet\n": ("file-empty", 1, 1),
    b"a: x: y\n": ("yaml-syntax", 1, 5),
    b"a: @x\n": ("yaml-syntax", 1, 4),
    b"a: 1\n b: 2\nc: 3\n": ("yaml-syntax", 2, 3),
    b"a: 1\n---\nb: 2\n": ("yaml-syntax", 2, 1),
    b"a: [1, 2": ("file-truncated", 2, 1),
    b"a: 1\nb": ("file-truncated", 3, 1),
    b"a: 'x": ("file-truncated", 1, 6),
    b"a:\n\tb: 1": ("tab", 2, 1),
    b"a: {\n\tb: [}": ("tab", 2, 1),
    b"text": ("not-a-mapping", 1, 1),
    b"? [a]\n: b": ("key-not-text", 1, 3),
    b"? {a: b}\n: c": ("key-not-text", 1, 3),
    b"a: 1\nb: 2\n'a': 3": ("duplicate-key", 3, 1),
    b"a: {b: 1, b: 2}": ("duplicate-key", 1, 11),
    b"a: &b 1": ("yaml-alias", 1, 4),
    b"a: !x 1": ("yaml-tag", 1, 4),
    b"a: !%1b[31m 1": ("yaml-syntax", 1, 8),
    b"a: !%1b 1": ("yaml-tag", 1, 4),
    b"a: " + b"[" * 25 + b"]" * 25: ("yaml-too-deep", 1, 28),
}


@pytest.mark.parametrize("raw", REFUSED, ids=repr)
def test_what_is_not_is_refused_at_its_place(raw: bytes) -> None:
    document, findings = parse(raw, "file.yaml")
    assert document is None
    assert [(found.rule, found.place.line, found.place.column) for found in findings] == [REFUSED[raw]]
    assert str(findings[0]).isprintable()


BOMBS = {
    "aliases": "a: &a [1]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a]\n" for n in range(1000)),
    "merges": "a: &a {b: 1}\nc: {<<: [" + "*a, " * 100_000 + "]}",
    "brackets": "[" * 100_000,
    "closed brackets": "a: " + "[" * 100_000 + "]" * 100_000,
    "braces": "{a: " * 100_000,
    "brackets over lines": "a: " + "[ # ]\n" * 100_000,
    "dashes": "- " * 100_000,
    "questions": "? " * 100_000,
    "indents": "".join(f"{' ' * depth}a:\n" for depth in range(3000)),
    "anchors": "".join(f"- &a{n} 1\n" for n in range(100_000)),
    "keys": "".join(f"a: {n}\n" for n in range(10_000)),
    "one long line": "a: " + "[], " * 500_000,
    "large": "# " + "x" * (20 * 1024 * 1024),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_do_not_go_off(bomb: str) -> None:
    before = time.monotonic()
    assert rules_of(BOMBS[bomb].encode())
    assert time.monotonic() - before < 5


def test_a_bomb_is_told_briefly() -> None:
    assert len(rules_of(BOMBS["anchors"].encode())) == 20


def test_places_are_of_the_key_the_item_or_the_nearest_that_is_there() -> None:
    document, _findings = parse(b"a:\n  b: [x,\n   y]\n", "f.yaml")
    assert document is not None
    assert document.place() == Place("f.yaml", 1, 1)
    assert document.place("a", "b") == Place("f.yaml", 2, 3)
    assert document.place("a", "b", 1) == Place("f.yaml", 3, 4)
    assert document.place("a", "b", 7) == document.place("a", "b", "c") == Place("f.yaml", 2, 3)
    assert document.place("a", "b", 0, "c") == Place("f.yaml", 2, 7)


def make_folder(path: Path) -> None:
    path.mkdir()


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [make_folder, make_loop, make_dangling, make_pipe, make_device])
@pytest.mark.parametrize("name", ["province.yaml", "services.yaml", "offices/an-bien.yaml", "offices/new.yaml"])
def test_what_is_no_file_is_told_and_nothing_hangs(make, name: str, province: Path) -> None:  # type: ignore[no-untyped-def]
    path = province / name
    path.unlink(missing_ok=True)
    make(path)
    findings = Loader(province).examine()[1]
    optional = make is make_dangling and name == "services.yaml"
    assert [(found.place.file, found.rule) for found in findings] == (
        [] if optional else [(name, "file-missing" if make is make_dangling else "file-unreadable")]
    )


def test_a_file_that_vanishes_before_it_is_read(tmp_path: Path) -> None:
    document, findings = read(tmp_path / "gone.yaml", "gone.yaml")
    assert document is None
    assert [found.rule for found in findings] == ["file-unreadable"]


def test_a_file_just_small_enough_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"a: 1\n#" + b"x" * (MAX_BYTES - 6))
    assert read(path, "large.yaml")[1] == []


def test_hidden_files_of_editors_are_not_read(province: Path) -> None:
    (province / "offices" / ".#an-bien.yaml").symlink_to("lan@host.4711")
    (province / "offices" / "an-bien.yaml~").write_text("{")
    assert Loader(province).examine()[1] == ()


def test_a_file_whose_name_would_colour_a_terminal(province: Path) -> None:
    (province / "offices" / "\x1b[31m.yaml").write_text("x: 1")
    findings = Loader(province).examine()[1]
    assert findings
    assert all(str(found).isprintable() for found in findings)


ODD = [
    ("offices/an-bien.yaml", "number: 2\n", "number: 99999999999999999999\n", "number-outside-block"),
    ("offices/an-bien.yaml", "number: 2\n", f"number: {'9' * 5000}\n", "wrong-type"),
    ("offices/an-bien.yaml", "number: 2\n", "number: -2\n", "wrong-type"),
    ("offices/an-bien.yaml", "number: 2\n", "number: 1e3\n", "wrong-type"),
    ("offices/an-bien.yaml", "number: 2\n", "number: 0x10\n", "wrong-type"),
    ("offices/an-bien.yaml", "number: 2\n", "number: [2]\n", "wrong-type"),
    ("offices/an-bien.yaml", "number: 2\n", "number: {}\n", "wrong-type"),
    ("offices/an-bien.yaml", "2019-06-15", "2026-02-30", "bad-date"),
    ("offices/an-bien.yaml", "2019-06-15", "20190615", "bad-date"),
    ("offices/an-bien.yaml", "2019-06-15", "٢٠١٩-06-15", "bad-date"),
    ("offices/an-bien.yaml", "8 Mbit/s", "٨ Mbit/s", "bad-bandwidth"),
    ("offices/an-bien.yaml", "8 Mbit/s", f"{'8' * 400} Mbit/s", "bad-bandwidth"),
    ("offices/an-bien.yaml", "8 Mbit/s", "{a: b}", "bad-bandwidth"),
    ("offices/an-bien.yaml", "10.91.16.0/20", "10.91.16.1/20", "bad-prefix"),
    ("offices/an-bien.yaml", "10.91.16.0/20", "10.91.٦.0/20", "bad-prefix"),
    ("offices/an-bien.yaml", "10.91.16.0/20", "::/0", "bad-prefix"),
    ("kinds.yaml", "count: 3", "count: 501", "wrong-type"),
    ("kinds.yaml", "host: 30", "host: 0x10", "wrong-type"),
    ("kinds.yaml", "host: 30", "host: 0", "wrong-type"),
    ("province.yaml", "60 s", f"{'6' * 400} s", "bad-duration"),
    ("province.yaml", "60 s", "0 s", "bad-duration"),
    ("province.yaml", "id: good", f"id: {'a' * 64}", "bad-id"),
    ("province.yaml", "as_of: 2020", "time_zone: ../../etc/passwd\nas_of: 2020", "unknown-time-zone"),
    ("people.yaml", "lan:\n", "lan:\n    " + "k" * 900 + ": 1\n", "unknown-key"),
    ("people.yaml", "[operator]", "[]", "wrong-type"),
    ("people.yaml", "name: Nguyễn Thị Lan", "name:", "wrong-type"),
    ("units.yaml", "type: tỉnh", "type: [tỉnh]", "wrong-type"),
    ("units.yaml", "type: tỉnh", "type: {2015-13-01: tỉnh}", "bad-date"),
    ("units.yaml", "type: tỉnh", "type: {}", "wrong-type"),
    ("units.yaml", "type: tỉnh", "type: {2015-01-01: }", "wrong-type"),
    ("units.yaml", "type: tỉnh", "type: ", "wrong-type"),
    ("units.yaml", "parent: mau", "parent: {2015-01-01: Mẫu}", "bad-id"),
    ("people.yaml", "[operator]", "[operator, ]\n    notify: [~]", "wrong-type"),
    ("kinds.yaml", "{probes: [icmp]}", "{probes: [icmp]}\n  '[key]': 1", "bad-id"),
]


@pytest.mark.parametrize(("name", "right", "wrong", "rule"), ODD)
def test_odd_values(name: str, right: str, wrong: str, rule: str, province: Path) -> None:
    path = province / name
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    findings = Loader(province).examine()[1]
    assert [(found.place.file, found.rule) for found in findings] == [(name, rule)], list(map(str, findings))
    assert len(str(findings[0])) < 700
    assert "constrained" not in str(findings[0])
    assert "function-" not in str(findings[0])


EMPTY = [
    (
        "offices/an-bien.yaml",
        "  nam-yen: {number: 3}",
        "  nam-yen:\n    number: 3\n    devices:\n    labels:\n    uplink:",
    ),
    ("offices/an-bien.yaml", "equipped: 2019-06-15", "equipped:"),
    ("offices/an-bien.yaml", "serial: 0012345", "serial: "),
    ("kinds.yaml", "workstation: {}", "workstation:"),
    (
        "kinds.yaml",
        "      router: {role",
        "      spare: {role: workstation, type: draytek-vigor2927, labels: , probes: }\n      router: {role",
    ),
    ("province.yaml", "modules:", "contacts:\nmodules:"),
    ("units.yaml", "name: Xã Nam Yên", "island: , into: , name: Xã Nam Yên"),
]


@pytest.mark.parametrize(("name", "right", "empty"), EMPTY)
def test_an_optional_key_with_nothing_behind_it_is_as_good_as_none(
    name: str, right: str, empty: str, province: Path
) -> None:
    path = province / name
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, empty, 1))
    assert [str(found) for found in Loader(province).examine()[1]] == []


PIECES = [
    b"\x00",
    b"\t",
    b"\xff",
    b": ",
    b"- ",
    b"{",
    b"}",
    b"[",
    b"]",
    b"'",
    b'"',
    b"\n",
    b"&a ",
    b"*a",
    b"!!x ",
    b"~",
]
PIECES += [b"null", b"-1", b"1e9", b"10.0.0.0/8", b"2026-02-30", b"an-bien", b"\xc4\x90", b"? ", b"|\n", b"%", b"#"]


@st.composite
def broken(draw: st.DrawFn) -> tuple[str, bytes]:
    """One file of the good province with some bytes replaced, taken out, put in, doubled or cut off."""
    name = draw(st.sampled_from(sorted(FILES)))
    raw = FILES[name]
    for _change in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 30)))
        new = draw(st.sampled_from([b"", raw[start:end] * 2, raw[: end - start], *PIECES]) | st.binary(max_size=4))
        raw = raw[:start] + new + raw[end:]
    return name, raw[: draw(st.integers(0, len(raw)))] if draw(st.integers(0, 9)) == 0 else raw


@settings(max_examples=400, deadline=None)
@given(broken())
def test_any_mutation_gives_findings_or_a_province(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[str, bytes]
) -> None:
    name, raw = case
    folder = tmp_path_factory.mktemp("fuzz") / "province"
    shutil.copytree(GOOD, folder)
    (folder / name).write_bytes(raw)
    province, findings = Loader(folder).examine()
    assert province is not None or findings
    assert all(str(found).isprintable() for found in findings)
    assert all(found.place.file in FILES or found.rule == "file-missing" for found in findings)
    shutil.rmtree(folder.parent)
