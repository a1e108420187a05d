"""The units of a province: what systemd itself says of them, that they hold no secret, and that they do not wander."""

import re
import subprocess
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from exporters.units.jobs import jobs
from exporters.units.place import Place
from exporters.units.rendering import FAILED, WATCH, render, wanted
from exporters.units.unit import MARK, Setting, command_line, quoted, text_of
from inventory.finding import Place as Line
from inventory.load import load
from inventory.model import Province, Schedule, StatusPage

KIEN_GIANG = Path(__file__).parents[2] / "inventory" / "kien-giang"
PLACE = Place(
    program=("/bin/true",),
    province="/srv/kiên giang 100%",
    user="daemon",
    group="daemon",
    backups="/var/backups/tuyen",
    reports="/srv/reports",
    language="vi",
    listen="127.0.0.1:9733",
    vault_password="/etc/tuyen/mật khẩu",
    passphrase="/etc/tuyen/backup passphrase",
)


@pytest.fixture(scope="module")
def province() -> Province:
    return load(KIEN_GIANG)


def services(province: Province, place: Place = PLACE) -> dict[str, str]:
    return {name: text for name, text in render(province, place).items() if name.endswith(".service")}


def analyze(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=120, check=False)


def test_systemd_has_nothing_to_say_against_them(province: Province, tmp_path: Path) -> None:
    for name, text in render(replace(province, name='100 % "tỉnh" \\'), PLACE).items():
        (tmp_path / name).write_text(text)
    done = analyze("verify", *map(str, sorted(tmp_path.iterdir())))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_they_may_do_is_little(province: Province, tmp_path: Path) -> None:
    most = {WATCH: 1.8, FAILED: 1.3, "tuyen-facts.service": 1.3}
    for name, text in services(province, replace(PLACE, province="/srv/kien-giang")).items():
        file = tmp_path / name.replace("@", "@x")
        file.write_text(text)
        said = analyze("security", "--offline=true", str(file)).stdout
        found = re.search(r"exposure level for .*: ([0-9.]+)", said)
        assert found, said
        assert float(found[1]) <= most.get(name, 0.6), name


def test_only_the_watch_may_send_raw_packets(province: Province) -> None:
    with_capability = [name for name, text in services(province).items() if "CAP_" in text]
    assert with_capability == [WATCH]
    alone = [name for name, text in services(province).items() if "PrivateNetwork=yes" in text]
    assert len(alone) == 7
    remote = services(replace(province, database="postgresql://db.example/tuyen"))
    assert [name for name, text in remote.items() if "PrivateNetwork=yes" in text] == [
        "tuyen-certificates.service",
        "tuyen-drift.service",
    ]


def test_a_low_port_is_a_capability_of_its_own(province: Province) -> None:
    served = replace(province, page=StatusPage("0.0.0.0:443", "page.pem", "page.key", True, Line("province.yaml")))
    watch = services(served)[WATCH]
    assert "AmbientCapabilities=CAP_NET_RAW\n" in watch
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE\n" in watch
    assert "CAP_NET_BIND_SERVICE" not in services(province)[WATCH]


def test_secrets_are_handed_over_only_to_who_needs_them(province: Province) -> None:
    found = services(province)
    assert [name for name, text in found.items() if "vault-password" in text] == ["tuyen-facts.service", WATCH]
    assert [name for name, text in found.items() if "backup-passphrase" in text] == ["tuyen-backup.service"]
    assert "LoadCredential=vault-password:/etc/tuyen/mật khẩu\n" in found[WATCH]
    plain = services(province, replace(PLACE, vault_password="", passphrase=""))
    assert not any("LoadCredential" in text for text in plain.values())


def test_every_relaxation_says_what_for(province: Province) -> None:
    place = replace(PLACE, province="/home/lan/kien-giang", shared=True)
    lines = services(province, place)[WATCH].splitlines()
    for setting in ("ProtectHome=read-only", "RestrictSUIDSGID=no", "CapabilityBoundingSet=CAP_NET_RAW"):
        assert lines[lines.index(setting) - 1].startswith("# "), setting


def test_the_same_province_gives_the_same_bytes_in_the_same_order(province: Province) -> None:
    first, second = render(province, PLACE), render(load(KIEN_GIANG), PLACE)
    assert list(first.items()) == list(second.items())
    assert list(first) == sorted(first)
    assert all(text.startswith(MARK) for text in first.values())
    assert wanted(first) == (*(name for name in first if name.endswith(".timer")), WATCH)


def test_times_are_the_province_s_and_go_round_midnight(province: Province) -> None:
    late = replace(province, schedule=Schedule(night=time(23, 50), reports_at=time(6, 0)), time_zone="Asia/Bangkok")
    found = {job.name: job.calendar for job in jobs(late, PLACE)}
    assert found["backup"] == "*-*-* 23:50:00 Asia/Bangkok"
    assert found["audit"] == "*-*-* 00:05:00 Asia/Bangkok"
    assert found["report-weekly"] == "Mon *-*-* 06:05:00 Asia/Bangkok"
    assert found["report-monthly"] == "*-*-01 06:10:00 Asia/Bangkok"
    for calendar in found.values():
        assert analyze("calendar", calendar).returncode == 0


@pytest.mark.parametrize("word", ["a b", 'say "hi"', "100%", "$HOME", "back\\slash", "it's", "a;b", "", "đường dẫn"])
def test_systemd_takes_every_word(word: str, tmp_path: Path) -> None:
    unit = tmp_path / "word.service"
    unit.write_text(
        text_of([("Service", [Setting("Type", "oneshot"), Setting("ExecStart", command_line(("/bin/echo", word)))])])
    )
    done = analyze("verify", str(unit))
    assert (done.returncode, done.stderr) == (0, "")


def test_paths_are_quoted_once() -> None:
    assert quoted("/srv/kien-giang") == "/srv/kien-giang"
    assert quoted("/srv/kiên giang 100%") == '"/srv/kiên giang 100%%"'
