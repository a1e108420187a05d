"""`tuyen run`, `hosts trust`, `facts`, `inventory drift`: what they refuse, and how, before anything is asked."""

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Tuyen


@pytest.fixture
def province(kien_giang: Path, tmp_path: Path) -> Path:
    """A province of one's own: its addresses are ours, so it may be acted on outside the lab."""
    folder = Path(shutil.copytree(kien_giang, tmp_path / "kien-giang"))
    text = (folder / "province.yaml").read_text()
    (folder / "province.yaml").write_text(text.replace("practice: true\n", ""))
    (folder / "jobs" / "odd").mkdir(parents=True)
    (folder / "jobs" / "odd" / "job.yaml").write_text("about: {en: Odd.}\ndriver: pyinfra\nfits: rle=server\n")
    return folder


def test_jobs_are_listed_with_what_they_are_for(tuyen: Tuyen, province: Path) -> None:
    done = tuyen("run", cwd=province)
    assert done.returncode == 0
    for job, driver in (("baseline", "ansible"), ("edge-baseline", "pyinfra"), ("gear-baseline", "netmiko")):
        assert any(line.split()[:2] == [job, driver] for line in done.stdout.splitlines())
    items = json.loads(tuyen("run", "--format", "json", cwd=province).stdout)["items"]
    assert "admin_sources" in next(item for item in items if item["job"] == "baseline")["variables"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run", "basline", "dong-yen"], 2, "no job is called 'basline'; write 'baseline' (the nearest that exists)"),
        (["run", "facts", "router.dong-yen"], 2, "no device is chosen that 'facts' fits"),
        (["run", "facts", "bx.dong-yen"], 2, "no office, device or key is called 'bx.dong-yen'; write 'box.dong-yen'"),
        (["run", "facts", "dong-yen", "--format", "json"], 2, "add --yes or --dry-run: json has nobody to ask"),
        (["run", "baseline", "--plan", "none.json"], 2, "a plan says itself which job, devices and values it is for"),
        (["run", "odd", "dong-yen"], 1, "jobs/odd/job.yaml: 'fits' cannot be understood: selector key 'rle' is not"),
        (["run", "--plan", "none.json"], 2, "the plan none.json cannot be used: No such file or directory"),
        (["run", "facts", "dong-yen", "--yes"], 1, "'root' is not in people.yaml, so may not act"),
        (["run", "facts", "dong-yen", "--as", "huynh-ngoc-diep"], 1, "--as is for training"),
        (["facts", "dong-yen"], 1, "'root' is not in people.yaml, so may not act"),
        (["hosts", "trust", "dong-yen"], 1, "'root' is not in people.yaml, so may not act"),
    ],
)
def test_a_wrong_wish_is_told_with_its_remedy(
    tuyen: Tuyen, province: Path, words: list[str], code: int, message: str
) -> None:
    done = tuyen(*words, cwd=province)
    assert message in " ".join(done.stderr.replace("│", " ").split()), done.stderr
    assert done.returncode == code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["run", "facts", "dong-yen"], ["facts", "dong-yen"], ["hosts", "trust", "dong-yen"]])
def test_a_practice_province_is_not_touched_outside_the_lab(tuyen: Tuyen, kien_giang: Path, words: list[str]) -> None:
    done = tuyen(*words, cwd=kien_giang)
    assert done.returncode == 2
    assert "is for practice" in done.stderr


def test_who_acts_is_who_became_root_and_stays_in_their_subtree(tuyen: Tuyen, province: Path) -> None:
    done = tuyen("run", "facts", "tier=commune,district=phu-quoc", "--yes", cwd=province, SUDO_USER="huynh-ngoc-diep")
    assert done.returncode == 1
    assert "'huynh-ngoc-diep' may act under 'an-bien' only; outside of it: box." in done.stderr
    done = tuyen("run", "facts", "dong-yen", "--yes", cwd=province, SUDO_USER="do-thi-thanh")
    assert "'do-thi-thanh' is no operator" in done.stderr


def test_without_a_way_back_nobody_is_asked(tuyen: Tuyen, province: Path) -> None:
    words = ("run", "facts", "box.dong-yen", "--rollback", "--yes")
    done = tuyen(*words, cwd=province, SUDO_USER="huynh-ngoc-diep")
    assert (done.returncode, done.stderr) == (1, "the job 'facts' knows no way back\n")


def test_without_a_pinned_key_nothing_is_sent(tuyen: Tuyen, province: Path) -> None:
    words = ("run", "facts", "box.dong-yen", "--dry-run", "--format", "json")
    done = tuyen(*words, cwd=province, SUDO_USER="huynh-ngoc-diep")
    assert done.returncode == 1, done.stderr
    [item] = json.loads(done.stdout)["items"]
    assert item["state"] == "unreachable"
    assert "tuyen hosts trust box.dong-yen" in item["reason"]


def test_drift_is_told_from_facts_that_lie_beside_the_declaration(tuyen: Tuyen, province: Path) -> None:
    (province / "facts").mkdir()
    facts = "devices:\n  box.dong-yen:\n    gathered: 2026-11-25\n    system: linux\n    serial: KSA0000000\n"
    (province / "facts" / "dong-yen.yaml").write_text(facts)
    done = tuyen("inventory", "drift", cwd=province)
    assert done.returncode == 1
    assert "drift-serial" in done.stdout
    assert "KSA9130552" in done.stdout
    (province / "facts" / "dong-yen.yaml").write_text("devices:\n  box.dong-yen: {gathered: soon}\n")
    done = tuyen("inventory", "drift", cwd=province)
    assert done.returncode == 1
    assert "facts/dong-yen.yaml:2:18" in done.stdout
