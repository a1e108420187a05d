"""Who issues reports, as province.yaml says it."""

import shutil
from pathlib import Path

import pytest

from inventory.letterhead import Letterhead
from inventory.load import Loader, load
from inventory.template import EXAMPLE

GOOD = Path(__file__).parents[1] / "provinces" / "good"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "province"))


def test_the_example_has_one() -> None:
    assert load(EXAMPLE).letterhead == Letterhead(
        authority="UBND tỉnh Kiên Giang",
        body="Sở Thông tin và Truyền thông",
        symbol="STTTT",
        place="Kiên Giang",
        addressee="Ủy ban nhân dân tỉnh Kiên Giang",
        recipients=("Lãnh đạo Sở",),
        drafted_by="CNTT",
        capacity=("GIÁM ĐỐC",),
    )


def test_none_is_needed(folder: Path) -> None:
    assert load(folder).letterhead is None


def test_what_is_not_said_stays_blank(folder: Path) -> None:
    with (folder / "province.yaml").open("a") as file:
        file.write("letterhead: {body: Văn phòng}\n")
    assert load(folder).letterhead == Letterhead(body="Văn phòng")


def test_a_misspelt_key_is_told(folder: Path) -> None:
    with (folder / "province.yaml").open("a") as file:
        file.write("letterhead: {body: Văn phòng, adressee: UBND}\n")
    _province, findings = Loader(folder).examine()
    assert len(findings) == 1
    assert "addressee" in str(findings[0])
