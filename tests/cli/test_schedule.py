"""`tuyen schedule` without systemd: what is shown and written, and what is refused."""

import os
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from cli.schedule_certificates import ending, own_certificates
from cli.schedule_telling import responsible
from exporters.units.unit import MARK
from inventory.load import load
from tests.conftest import Tuyen

GOOD = Path(__file__).parents[1] / "provinces" / "good"


@pytest.fixture
def province(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOOD, tmp_path / "good", ignore=shutil.ignore_patterns(".tuyen")))


def run(tuyen: Tuyen, province: Path, *words: str) -> tuple[int, str]:
    done = tuyen("--province", str(province), "schedule", *words)
    return done.returncode, done.stdout + done.stderr


def test_units_are_written_shown_as_a_diff_and_taken_away(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    folder = tmp_path / "units"
    where = ("--dir", str(folder), "--user", "daemon")
    code, said = run(tuyen, province, "install", *where, "--dry-run")
    assert (code, folder.exists()) == (0, False)
    assert "+++ tuyen-backup.timer" in said
    code, said = run(tuyen, province, "install", *where, "--yes")
    assert (code, said.splitlines()[-1]) == (0, f"18 units in {folder}")
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o644}

    shutil.copy(folder / "tuyen-drift.timer", folder / "tuyen-former.timer")  # of a job that is no more
    (folder / "tuyen-by-hand.service").write_text("[Service]\nExecStart=/bin/true\n")
    text = (province / "province.yaml").read_text()
    (province / "province.yaml").write_text(text + 'schedule: {night: "02:45"}\n')
    code, said = run(tuyen, province, "install", *where, "--yes")
    assert "-OnCalendar=*-*-* 01:30:00 Asia/Ho_Chi_Minh\n+OnCalendar=*-*-* 02:45:00 Asia/Ho_Chi_Minh" in said
    assert "--- tuyen-former.timer" in said
    assert not (folder / "tuyen-former.timer").exists()
    assert run(tuyen, province, "install", *where, "--dry-run") == (0, "nothing differs\n")

    code, said = run(tuyen, province, "remove", "--dir", str(folder), "--yes")
    assert (code, said.splitlines()[-1]) == (0, "18 units removed")
    assert [path.name for path in folder.iterdir()] == ["tuyen-by-hand.service"]


def test_another_s_file_is_left_alone(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    folder = tmp_path / "units"
    folder.mkdir()
    (folder / "tuyen-watch.service").write_text("[Service]\nExecStart=/bin/true\n")
    (folder / "tuyen-drift.timer").symlink_to("/dev/null")  # masked by hand
    code, said = run(tuyen, province, "install", "--dir", str(folder), "--user", "daemon", "--yes")
    assert code == 2
    assert "were not written by tuyen, and are left alone:" in said
    assert "tuyen-drift.timer" in said
    assert "tuyen-watch.service" in said
    assert len(list(folder.iterdir())) == 2


def test_show_writes_nothing_and_holds_no_secret(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("planted-1234\n")
    code, said = run(tuyen, province, "show", "--user", "daemon", "--vault-password", str(tmp_path / "password"))
    assert code == 0
    assert said.count(MARK) == 18
    assert f"LoadCredential=vault-password:{tmp_path}/password" in said
    assert "planted" not in said


def test_what_cannot_run_is_told_before_anything_is_written(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    code, said = run(tuyen, province, "show", "--user", "nobody-here")
    assert (code, "there is no account 'nobody-here'; make it with 'useradd --system" in said) == (2, True)
    code, said = run(tuyen, province, "show", "--user", "daemon", "--group", "none-here")
    assert (code, "there is no group 'none-here'" in said) == (2, True)
    for listen in ("nonsense", ":x", "127.0.0.1:", "127.0.0.1:123456"):
        code, said = run(tuyen, province, "show", "--user", "daemon", "--listen", listen)
        assert (code, "is not ADDRESS:PORT" in said) == (2, True)
    for listen in (":9733", "127.0.0.1:9733", "[::1]:9733"):
        assert run(tuyen, province, "show", "--user", "daemon", "--listen", listen)[0] == 0
    (province / "secrets.yaml").write_text("$ANSIBLE_VAULT;1.1;AES256\n")
    code, said = run(tuyen, province, "show", "--user", "daemon")
    assert (code, "name it with --vault-password" in said) == (2, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another account")
def test_an_account_that_cannot_read_the_province_is_refused(tmp_path: Path, province: Path) -> None:
    from cli.schedule_place import PlaceError, check_place

    tmp_path.chmod(0o700)
    with pytest.raises(PlaceError, match=r"^'daemon' cannot work with "):
        list(check_place(province, load(province), "daemon"))


def _certificate(name: str, days: float) -> bytes:
    key, now = Ed25519PrivateKey.generate(), datetime.now(UTC)
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=100)).not_valid_after(now + timedelta(days=days))
    return made.sign(key, None).public_bytes(Encoding.PEM)


def test_own_certificates_that_end_are_told(tuyen: Tuyen, province: Path) -> None:
    text = (province / "province.yaml").read_text()
    page = 'page: {listen: "0.0.0.0:8443", certificate: page.pem, key: page.key}\n'
    (province / "province.yaml").write_text(text + page)
    (province / "ca.pem").write_bytes(_certificate("authority", 400))
    assert [path.name for path in own_certificates(province, load(province))] == ["page.pem", "ca.pem"]
    code, said = run(tuyen, province, "certificates")
    assert (code, "page.pem cannot be read" in said) == (1, True)
    (province / "page.pem").write_bytes(_certificate("page", 40) + _certificate("between", 20))
    code, said = run(tuyen, province, "certificates")
    assert (code, said.count("\n")) == (1, 1)
    assert "page.pem: the certificate of CN=between ends on " in said
    assert list(ending(province / "page.pem", 10)) == []
    (province / "page.pem").write_bytes(_certificate("page", -1))
    assert "has ended on" in next(iter(ending(province / "page.pem", 0)))


def test_a_failed_job_is_told_to_those_who_act_for_the_whole_province(tuyen: Tuyen, province: Path) -> None:
    people = responsible(load(province))
    assert people
    assert all("operator" in person.roles and person.under == "centre" for person in people)
