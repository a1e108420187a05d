"""`tuyen monitoring render`: a folder that is brought up to date, and nothing else of it touched."""

from pathlib import Path

import pytest

from tests.conftest import Tuyen


def test_a_folder_is_made_kept_and_mended(tuyen: Tuyen, kien_giang: Path, tmp_path: Path) -> None:
    folder = tmp_path / "etc" / "kit"
    asked = tuyen("monitoring", "render", str(folder), "--check", cwd=kien_giang)
    assert (asked.returncode, folder.exists()) == (1, False)
    made = tuyen("monitoring", "render", str(folder), cwd=kien_giang)
    assert made.returncode == 0, made.stderr
    assert "17 of 17 files differ" in made.stdout
    own, alerts, main = folder / "rules" / "own.yml", folder / "rules" / "alerts.yml", folder / "prometheus.yml"
    own.write_text("groups: []\n")
    before = main.stat().st_mtime_ns
    text = alerts.read_text()
    alerts.write_text(text.replace("critical", "page"))
    told = tuyen("monitoring", "render", str(folder), "--check", cwd=kien_giang)
    assert (told.returncode, told.stdout.splitlines()[0]) == (1, "would change: rules/alerts.yml")
    assert tuyen("monitoring", "render", str(folder), cwd=kien_giang).returncode == 0
    assert alerts.read_text() == text
    assert main.stat().st_mtime_ns == before
    assert own.read_text() == "groups: []\n"
    assert not list(folder.rglob("*.part"))
    same = tuyen("monitoring", "render", str(folder), "--check", cwd=kien_giang)
    assert (same.returncode, same.stdout) == (0, "0 of 17 files differ\n")


def test_the_kit_does_not_hang_on_the_locale(tuyen: Tuyen, kien_giang: Path, tmp_path: Path) -> None:
    assert tuyen("--lang", "vi", "monitoring", "render", str(tmp_path / "kit"), cwd=kien_giang).returncode == 0
    checked = tuyen("--lang", "en", "monitoring", "render", str(tmp_path / "kit"), "--check", cwd=kien_giang)
    assert checked.returncode == 0, checked.stdout


def test_addresses_and_intervals_go_where_they_belong(tuyen: Tuyen, kien_giang: Path, tmp_path: Path) -> None:
    words = ("--watch", "watch.example:9733", "--snmp-exporter", "", "--interval", "30 s")
    assert tuyen("monitoring", "render", str(tmp_path), *words, cwd=kien_giang).returncode == 0
    text = (tmp_path / "prometheus.yml").read_text()
    assert "http://watch.example:9733/sd" in text
    assert "scrape_interval: 30s" in text
    assert "snmp" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--interval", "5x"), "'5x' is not a whole number of seconds"),
        (("--interval", "2 m"), "'2 m' is not a whole number of seconds"),
        (("--watch", "here:65536"), "'here:65536' is not HOST:PORT"),
        (("--watch", "http://here"), "'http://here' is not HOST:PORT"),
        (("--alertmanager", "x:1/y"), "'x:1/y' is not HOST:PORT"),
    ],
)
def test_what_is_mistyped_is_told(
    tuyen: Tuyen, kien_giang: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = tuyen("monitoring", "render", str(tmp_path / "kit"), *words, cwd=kien_giang)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert not (tmp_path / "kit").exists()


def test_a_folder_that_cannot_be_written_is_told(tuyen: Tuyen, kien_giang: Path, tmp_path: Path) -> None:
    (tmp_path / "kit").write_text("a file")
    done = tuyen("monitoring", "render", str(tmp_path / "kit"), cwd=kien_giang)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
