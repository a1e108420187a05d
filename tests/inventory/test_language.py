"""Two languages: the Vietnamese catalogue is whole and fits the source, and people get the language they ask for."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from inventory import language
from inventory.finding import Place, finding
from inventory.language import _
from inventory.load import Loader
from inventory.rules import RULES
from tests.conftest import Tuyen

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "inventory" / "locale" / "vi" / "LC_MESSAGES" / "tuyen.po"
GOOD = ROOT / "tests" / "provinces" / "good"
WORD, NUMBER, DAY = "·a word·", 12.5, datetime(2031, 5, 27, 13, 45, tzinfo=UTC)


@pytest.fixture
def vietnamese() -> Iterator[None]:
    language.use("vi")
    yield
    language.use("en")


def catalogue(action: str, file: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "bin" / "catalogue"), action, str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def entries() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        return {str(entry.id): str(entry.string) for entry in read_po(file, locale="vi") if entry.id}


def test_the_catalogue_is_whole_and_as_update_writes_it(tmp_path: Path) -> None:
    done = catalogue("check", CATALOGUE)
    assert (done.returncode, done.stderr) == (0, "")
    copy = Path(shutil.copy(CATALOGUE, tmp_path))
    assert catalogue("update", copy).returncode == 0
    assert copy.read_text() == CATALOGUE.read_text()
    assert not re.search(r"-Date:|Generated|^#[~:]", CATALOGUE.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('msgid "written"', 'msgid "writen"', "missing: 'written'"),
        ('msgid "written"', 'msgid "writen"', "obsolete: 'writen'"),
        ('msgstr "đã ghi"', 'msgstr ""', "untranslated: 'written'"),
        ('msgid "written"', '#, fuzzy\nmsgid "written"', "untranslated: 'written'"),
        ('msgstr " từ {url}"', 'msgstr " từ {uri}"', "placeholders differ, ['uri']: ' from {url}'"),
        ('msgstr " từ {url}"', 'msgstr "từ {url}"', "spaces at the ends differ: ' from {url}'"),
        ("nay có %d phép thử", "nay có %s phép thử", "placeholders differ, ['%s']: 'the province changed"),
    ],
)
def test_a_fault_of_the_catalogue_is_named(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    text = CATALOGUE.read_text()
    assert text.count(right) == 1
    spoilt = tmp_path / "tuyen.po"
    spoilt.write_text(text.replace(right, wrong))
    done = catalogue("check", spoilt)
    assert done.returncode == 1
    assert said in done.stderr


def test_update_takes_in_what_is_new_and_drops_what_is_gone(tmp_path: Path) -> None:
    spoilt = tmp_path / "tuyen.po"
    spoilt.write_text(CATALOGUE.read_text().replace('msgid "written"', 'msgid "writen"'))
    assert catalogue("update", spoilt).returncode == 0
    assert 'msgid "written"\nmsgstr ""\n' in spoilt.read_text()
    assert "writen" not in spoilt.read_text()


def filled(message: str) -> str:
    """Return the message with a word, a number or a day in each field, as its form wants."""
    values: dict[str, object] = {}
    for _text, name, form, _conversion in Formatter().parse(message):
        if name:
            values[name] = DAY if form and "%Y" in form else NUMBER if form else WORD
    return message.format_map(values)


def test_every_message_shows_all_its_values_in_vietnamese(vietnamese: None) -> None:
    formatted = 0
    for english, translation in entries().items():
        assert _(english) == translation, "the compiled catalogue is another one; see: make env"
        if not re.search(r"\{\w", english):
            continue
        formatted += 1
        said = filled(_(english))
        assert "{" not in said.replace("{parent: OFFICE}", "").replace("{rest: true}", ""), english
        assert said.count(WORD) >= len({name for _t, name, form, _c in Formatter().parse(english) if name and not form})
        assert ("27" in said and "2031" in said) == ("%Y" in english), english
    assert formatted > 200


def test_every_rule_says_something_else_in_vietnamese(vietnamese: None) -> None:
    for rule in RULES.values():
        for message in set(rule) - {"{problem}"}:
            assert _(message) != message


@pytest.mark.parametrize(
    ("variables", "chosen"),
    [
        ({"LANG": "vi_VN.UTF-8"}, "vi"),
        ({"LC_ALL": "vi_VN"}, "vi"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "vi_VN.UTF-8"}, "vi"),
        ({"LANGUAGE": "vi:en", "LANG": "en_US.UTF-8"}, "vi"),
        ({"LC_ALL": "C.UTF-8", "LANG": "vi_VN.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_locale_chooses(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], chosen: str) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    try:
        language.use()
        assert language.current() == chosen
        assert _("unreachable") == {"vi": "không tới được", "en": "unreachable"}[chosen]
    finally:
        language.use("en")


def test_the_option_goes_before_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "vi")
    language.use("en")
    assert (_("down"), language.current()) == ("down", "en")


def test_a_finding_is_told_in_the_language_of_the_moment(vietnamese: None) -> None:
    found = finding(Place("kinds.yaml", 3, 5), "unknown-tier", name="xa", near="'commune'")
    assert str(found) == (
        "kinds.yaml:3:5: unknown-tier: chưa khai báo cấp 'xa' trong province.yaml; hãy viết 'commune'"
    )
    language.use("en")
    assert str(found) == "kinds.yaml:3:5: unknown-tier: no tier 'xa' is declared in province.yaml; write 'commune'"


def test_a_mistake_in_a_file_is_told_in_vietnamese(vietnamese: None, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOOD, tmp_path / "good"))
    offices = folder / "offices" / "an-bien.yaml"
    offices.write_text(offices.read_text().replace("equipped:", "equiped:"))
    _province, findings = Loader(folder).examine()
    assert [str(found) for found in findings] == [
        "offices/an-bien.yaml:12:5: unknown-key: không có khóa 'equiped' trong offices.dong-yen; "
        "hãy viết 'equipped' (tên gần nhất đang có)"
    ]


def test_help_and_headings_are_vietnamese(tuyen: Tuyen) -> None:
    told = " ".join(tuyen("--lang", "vi", "check", "--help").stdout.split())
    assert "Kiểm tra ngay tình trạng thiết bị, địa điểm và dịch vụ" in told
    assert "Ví dụ:" in told
    assert "Check the health" in " ".join(tuyen("check", "--help").stdout.split())
    listed = tuyen("--lang=vi", "--province", str(GOOD), "inventory", "list").stdout
    assert listed.split("\n")[0].split()[:3] == ["MÃ", "ĐỊA", "CHỈ"]
