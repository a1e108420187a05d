"""Export and import by the command line: what other tools and Excel get, and what comes back."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest

from tests.conftest import Tuyen


@pytest.fixture
def province(kien_giang: Path, tmp_path: Path) -> Path:
    """A province to change."""
    return Path(shutil.copytree(kien_giang, tmp_path / "kien-giang"))


def _set(workbook: Path, device: str, heading: str, value: object) -> None:
    """Type a value into the row of a device, as a person in Excel does."""
    book = openpyxl.load_workbook(workbook)
    for sheet in book:
        for row in sheet.iter_rows():
            headings = {str(cell.value).lower(): cell.column for cell in row if cell.value}
            if heading in headings and "device id" in headings:
                for line in sheet.iter_rows(min_row=row[0].row + 1):
                    if line[headings["device id"] - 1].value == device:
                        line[headings[heading] - 1].value = value
                        book.save(workbook)
                        return
    raise AssertionError(f"no {heading} of {device}")


def test_a_workbook_goes_out_is_edited_and_comes_back(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    workbook = tmp_path / "all.xlsx"
    assert tuyen("inventory", "export", "xlsx", "-o", str(workbook), cwd=province).returncode == 0
    untouched = tuyen("inventory", "import", str(workbook), cwd=province)
    assert (untouched.returncode, untouched.stdout.split(",")[1]) == (0, " 0 changes"), untouched
    _set(workbook, "router.nam-yen", "serial number", "00042")
    dry = tuyen("inventory", "import", str(workbook), "--dry-run", cwd=province)
    assert dry.returncode == 0
    lines = dry.stdout.splitlines()
    assert lines[:2] == ["--- a/offices/an-bien.yaml", "+++ b/offices/an-bien.yaml"]
    assert [line for line in lines if line.startswith("+ ") and "00042" in line]
    assert "00042" not in (province / "offices" / "an-bien.yaml").read_text()
    asked = tuyen("inventory", "import", str(workbook), cwd=province)  # where nobody can answer
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    done = tuyen("inventory", "import", str(workbook), "--yes", cwd=province)
    assert done.returncode == 0, done.stderr
    shown = json.loads(tuyen("inventory", "show", "router.nam-yen", "--format", "json", cwd=province).stdout)
    assert shown["items"][0]["serial"] == "00042"
    assert tuyen("inventory", "check", cwd=province).returncode == 0


def test_a_file_that_is_no_workbook_is_refused(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.xlsx"
    wrong.write_text("id,serial\n")
    done = tuyen("inventory", "import", str(wrong), cwd=province)
    assert done.returncode == 2
    assert "wrong.xlsx" in done.stderr
    assert "Traceback" not in done.stderr


def test_exports_are_what_their_tools_read(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.yml"
    assert tuyen("inventory", "export", "ansible", "under=an-bien", "-o", str(hosts), cwd=province).returncode == 0
    program = Path(sys.executable).with_name("ansible-inventory")
    listed = subprocess.run([program, "-i", hosts, "--list"], capture_output=True, text=True, check=True, timeout=60)
    assert "box.dong-yen" in json.loads(listed.stdout)["_meta"]["hostvars"]
    config = tuyen("inventory", "export", "ssh-config", "box.dong-yen", cwd=province).stdout
    assert "Host box.dong-yen" in config
    targets = json.loads(tuyen("inventory", "export", "prometheus", "box.dong-yen", cwd=province).stdout)
    assert targets[0]["labels"]["__param_module"]


@pytest.mark.parametrize(
    ("words", "said"), [(("ansibel",), "'ansible'"), (("xlsx",), "--out "), (("json", "role=rotuer"), "'router'")]
)
def test_a_mistyped_export_is_told_what_is_right(
    tuyen: Tuyen, province: Path, words: tuple[str, ...], said: str
) -> None:
    done = tuyen("inventory", "export", *words, cwd=province)
    assert done.returncode == 2
    assert said in done.stderr.replace("\n", " ")
