"""`tuyen state`: what is remembered is saved while it is in use, and comes back all or nothing."""

import os
import pwd
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inventory.load import load
from ledger.archive import read
from ledger.audit import append, entries, verify
from ledger.connection import FILE, open_ledger
from ledger.leases import acquire
from ledger.locks import FOLDER as LOCKS
from ledger.locks import take
from ledger.schema import HEAD
from ledger.upgrade import upgrade
from tests.cli.saving import LAN, backup, copy_of_good, note, province_with_state, restore, told
from tests.conftest import Tuyen
from tests.ledger.conftest import postgresql  # noqa: F401  (a fixture)
from tests.ledger.test_opening import next_scripts

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def province(tmp_path: Path) -> Path:
    return province_with_state(tmp_path)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every plain file of the state but the ledger, locks and backups, by its name."""
    state = folder / ".tuyen"
    names = (path.relative_to(state) for path in state.rglob("*") if path.is_file() and not path.is_symlink())
    kept = [name for name in names if not re.match(r"ledger|locks|backups|before-restore|restored\.json", str(name))]
    return {str(name): (state / name).read_bytes() for name in kept}


def test_the_state_comes_back_as_it_was(tuyen: Tuyen, province: Path) -> None:
    before = contents(province)
    saved = backup(tuyen, province)
    assert saved.parent == province / ".tuyen" / "backups"
    names = sorted(entry.name for entry in read(saved).entries)
    assert names == ["ledger", "state/configurations/router.north/2026.txt", "state/id_ed25519", "state/known_hosts"]
    note(province, "later")
    (province / ".tuyen/known_hosts").write_text("10.91.0.1 ssh-ed25519 BBBB\n")
    (province / ".tuyen/new").write_text("made later\n")

    lock = province / LOCKS / "tuyen-state.lock"
    inode = lock.stat().st_ino

    said = restore(tuyen, province, saved)

    assert "the state is back as it was on 2" in said
    assert lock.stat().st_ino == inode  # who holds a lock holds it on
    assert contents(province) == before  # the lab's files are neither saved nor lost
    assert (province / ".tuyen/id_ed25519").stat().st_mode & 0o777 == 0o600
    assert told(province) == ["test", "state.restore"]
    (aside,) = (province / ".tuyen").glob("before-restore-*")
    assert str(aside) in said
    assert (aside / "known_hosts").read_text() == "10.91.0.1 ssh-ed25519 BBBB\n"
    assert (aside / "new").exists()
    assert saved.exists()
    with open_ledger(aside / "ledger.sqlite") as former:
        assert [entry.action for entry in entries(former)] == ["test", "state.backup", "test"]
    assert not (province / ".tuyen.restoring").exists()
    assert tuyen("--province", str(province), "audit-log", "verify").returncode == 0


def test_a_new_machine_gets_all_of_it(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    (province / "facts").mkdir()
    (province / "facts/north.yaml").write_text("# what machines told\n")
    (province / "ca.key").write_text("the authority's key\n")
    (province / "ca.key").chmod(0o600)
    saved = backup(tuyen, province, str(tmp_path))
    assert saved.parent == tmp_path
    fresh = copy_of_good(tmp_path / "fresh")
    said = restore(tuyen, fresh, saved)
    assert "what was there before" not in said
    assert (fresh / "facts/north.yaml").read_text() == "# what machines told\n"
    assert (fresh / ".tuyen/known_hosts").read_text() == "10.91.0.1 ssh-ed25519 AAAA\n"
    assert told(fresh) == ["test", "state.restore"]
    (fresh / "facts/north.yaml").write_text("# from git\n")
    assert (fresh / "ca.key").stat().st_mode & 0o777 == 0o600
    assert f"left as they are: 2 files beside the state, such as {fresh}/ca.key" in restore(tuyen, fresh, saved)
    assert (fresh / "facts/north.yaml").read_text() == "# from git\n"


def test_a_backup_is_sealed_by_a_passphrase(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("correct horse\n")
    (tmp_path / "wrong").write_text("correct mule\n")
    (tmp_path / "none").write_text("\n")
    saved = backup(tuyen, province, "--passphrase-file", str(tmp_path / "passphrase"))
    assert b"private key" not in saved.read_bytes()
    for words, why in (
        ((), "is sealed; name the file with its passphrase"),
        (("--passphrase-file", str(tmp_path / "wrong")), "the passphrase is not the one it was sealed with"),
        (("--passphrase-file", str(tmp_path / "none")), "holds no passphrase in its first line"),
        (("--passphrase-file", str(tmp_path / "gone")), "cannot be read: No such file"),
    ):
        assert why in restore(tuyen, province, saved, *words)
    (province / "province.yaml").write_text(
        (province / "province.yaml").read_text()
        + f"schedule: {{backup: {{keep: 2, passphrase_file: {tmp_path}/passphrase}}}}\n"
    )
    assert "the state is back" in restore(tuyen, province, saved)


def test_the_newest_so_many_are_kept(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    folder = province / ".tuyen/backups"
    folder.mkdir()
    older = [folder / f"good-2026010{day}T000000Z.tuyen-state" for day in range(1, 6)]
    others = [folder / "good-2-20260101T000000Z.tuyen-state", folder / "good-by-hand.tuyen-state", folder / "notes"]
    for path in (*older, *others):
        path.touch()
    (folder / ".good-saving-dead").mkdir()  # what one that was killed left
    saved = backup(tuyen, province, "--keep", "3")
    assert set(folder.iterdir()) == {saved, *older[3:], *others}
    assert backup(tuyen, province, str(tmp_path / "named")) == tmp_path / "named"
    assert len(list(folder.iterdir())) == 6


def test_a_spoilt_backup_changes_nothing(tuyen: Tuyen, province: Path) -> None:
    saved = backup(tuyen, province)
    whole, before = saved.read_bytes(), (contents(province), told(province))
    middle, flipped = len(whole) // 2, "was cut short|is damaged|does not hold what was saved: ledger"
    for spoilt, why in (
        (whole[:middle], "was cut short"),
        (whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1 :], flipped),
        (b"PK" + whole[2:], "is no backup of tuyen, or its beginning is damaged"),
    ):
        saved.write_bytes(spoilt)
        said = restore(tuyen, province, saved)
        assert said.startswith("1: ")
        assert re.search(why, said)
        assert (contents(province), told(province)) == before
        assert not (province / ".tuyen.restoring").exists()
    done = tuyen("--province", str(province), "state", "check", str(saved))
    assert (done.returncode, done.stderr.strip()) == (1, f"{saved} is no backup of tuyen, or its beginning is damaged")


def test_another_province_s_backup_is_refused(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    saved = backup(tuyen, province)
    other = copy_of_good(tmp_path / "other")
    text = (other / "province.yaml").read_text()
    (other / "province.yaml").write_text(text.replace("id: good", "id: other"))
    assert "is of the province 'good', and this one is 'other'" in restore(tuyen, other, saved)


def test_a_newer_ledger_is_refused_and_an_older_one_migrated(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    with open_ledger(province / FILE) as ledger:
        upgrade(ledger, next_scripts(tmp_path), "9999")
    done = tuyen("--province", str(province), "state", "backup")
    assert "was written by a newer tuyen (revision 9999)" in done.stderr
    assert list((province / ".tuyen/backups").iterdir()) == []
    (province / FILE).unlink()
    older = tmp_path / "older"
    _write_older(older, province)
    assert "the state is back" in restore(tuyen, province, older)
    with open_ledger(province / FILE) as ledger, ledger.read() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD
    assert (province / f"{FILE}.before-upgrade-from-0001").exists()
    newer = tmp_path / "newer"
    _write_newer(newer, province, tmp_path)
    before = told(province)
    assert "was written by a newer tuyen (revision 9999); install that one" in restore(tuyen, province, newer)
    assert told(province) == before


def _write_older(target: Path, province: Path) -> None:
    """Write a backup whose ledger is as the first tuyen left it."""
    from alembic import command
    from alembic.config import Config

    from ledger.connection import connect

    file = target.with_suffix(".sqlite")
    with connect(file) as ledger, ledger.write() as connection:
        configuration = Config(attributes={"connection": connection})
        configuration.set_main_option("script_location", "ledger:migrations")
        command.upgrade(configuration, "0001")
    _archive(target, file, "0001")


def _write_newer(target: Path, province: Path, folder: Path) -> None:
    file = target.with_suffix(".sqlite")
    (folder / "scripts").mkdir()
    with open_ledger(file) as ledger:
        upgrade(ledger, next_scripts(folder / "scripts"), "9999")
    _archive(target, file, "9999")


def _archive(target: Path, ledger: Path, revision: str) -> None:
    from ledger.archive import Manifest, Source, write

    about = Manifest("good", "2026-01-01T00:00:00.000000Z", "0.0.1", "sqlite", revision, 0, "0" * 64, 0)
    write(target, [Source("ledger", ledger)], about)


def test_who_works_with_the_state_keeps_it_from_being_replaced(tuyen: Tuyen, province: Path) -> None:
    saved = backup(tuyen, province)
    with open_ledger(province / FILE) as ledger:
        with ledger.read():
            assert "the state is in use, so it cannot be replaced; stop first" in restore(tuyen, province, saved)
        acquire(ledger, "watch", actor=LAN, seconds=600)
    assert "watch: lan@" in restore(tuyen, province, saved)
    with open_ledger(province / FILE) as ledger, ledger.write() as connection:
        connection.exec_driver_sql("DELETE FROM lease")
    with take(province / LOCKS, "box.north", person="lan", doing="run x", patience=0):
        assert "stop first: box.north" in restore(tuyen, province, saved)
    with take(province / LOCKS, "tuyen-state", person="lan", doing="state restore", patience=0):
        done = tuyen("--province", str(province), "state", "backup")
        assert "held by lan" in done.stderr
    assert "the state is back" in restore(tuyen, province, saved)


def test_a_damaged_ledger_is_replaced(tuyen: Tuyen, province: Path) -> None:
    saved = backup(tuyen, province)
    (province / FILE).write_bytes(b"spoilt" * 1000)
    assert "the state is back" in restore(tuyen, province, saved)
    assert told(province) == ["test", "state.restore"]


def test_nothing_is_done_without_a_yes(tuyen: Tuyen, province: Path) -> None:
    saved = backup(tuyen, province)
    done = tuyen("--province", str(province), "state", "restore", str(saved))
    assert done.returncode == 1
    assert "bring this back in the place of the present state?" in done.stdout
    assert told(province) == ["test", "state.backup"]
    assert not (province / ".tuyen.restoring").exists()


def test_a_ledger_in_postgresql_comes_back_into_an_empty_database(
    tuyen: Tuyen,
    province: Path,
    postgresql: Callable[[], str],  # noqa: F811
) -> None:
    shutil.rmtree(province / ".tuyen")
    yaml = (province / "province.yaml").read_text()
    (province / "province.yaml").write_text(f"{yaml}database: {postgresql()}\n")
    # its server listens on a socket in a folder, which tests' commands reach without a network
    first = load(province).database
    with open_ledger(first) as ledger, ledger.write() as connection:
        append(connection, ledger, LAN, "test", {})
    saved = backup(tuyen, province)
    assert read(saved).database == "postgresql"
    second = postgresql()
    (province / "province.yaml").write_text(f"{yaml}database: {second}\n")
    assert "the state is back" in restore(tuyen, province, saved)
    with open_ledger(second) as ledger:
        assert [entry.action for entry in entries(ledger)] == ["test", "state.restore"]
        assert list(verify(ledger)) == []
    (province / "province.yaml").write_text(yaml)
    assert "holds a ledger of postgresql, and 'database' in province.yaml leads to sqlite" in restore(
        tuyen, province, saved
    )


def test_a_backup_beside_a_writer_holds_every_row_from_before_it(tuyen: Tuyen, province: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.cli.saving import note\n"
        "for number in range(100000): note(Path(sys.argv[1]), str(number)); print(number, flush=True)"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(province)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    with writer:
        try:
            assert writer.stdout
            committed = [int(next(writer.stdout)) for _row in range(30)][-1]
            saved = backup(tuyen, province)
        finally:
            writer.kill()
    assert read(saved).head_seq > committed
    assert "the state is back" in restore(tuyen, province, saved)
    assert len(told(province)) == read(saved).head_seq + 1


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
def test_a_full_disk_loses_nothing(tuyen: Tuyen, province: Path, tmp_path: Path) -> None:
    (province / ".tuyen/large").write_bytes(random.Random(1).randbytes(2 << 20))
    backup(tuyen, province, str(tmp_path / "saved"))
    script = (
        "mount -t tmpfs -o size=3m tmpfs small && cp -r good small/ && cd small && "
        '"$0" -m cli --lang en --province good state restore ../saved --yes; echo "$?"; '
        '"$0" -m cli --lang en --province good state backup; echo "$?"; ls -a good good/.tuyen/backups'
    )
    (tmp_path / "small").mkdir()
    (province / ".tuyen/pipe").unlink()
    done = subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-c", script, sys.executable],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.split("\n")[:2] == ["1", "1"], done.stdout + done.stderr
    assert done.stderr.count("No space left on device") + done.stderr.count("disk is full") == 2
    assert ".tuyen.restoring" not in done.stdout
    assert ".tuyen-state" not in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another account")
def test_what_root_does_stays_the_province_s(tuyen: Tuyen, province: Path) -> None:
    account = pwd.getpwnam("daemon")
    for path in (province, *province.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    shutil.rmtree(province / ".tuyen/locks", ignore_errors=True)
    saved = backup(tuyen, province)
    assert "the state is back" in restore(tuyen, province, saved)
    owners = {path: path.lstat().st_uid for path in (province, *province.rglob("*"))}
    assert [path for path, owner in owners.items() if owner != account.pw_uid] == []
