"""A province with a state, which tests save and bring back."""

import json
import os
import shutil
from pathlib import Path

from ledger.audit import append, entries, verify
from ledger.connection import FILE, open_ledger
from ledger.records import Actor
from tests.conftest import Tuyen

GOOD = Path(__file__).parents[1] / "provinces" / "good"
REPOSITORY = Path(__file__).parents[2]
LAN = Actor("lan", "lan")


def note(folder: Path, text: str) -> None:
    """Add a row to the audit trail."""
    with open_ledger(folder / FILE) as ledger, ledger.write() as connection:
        append(connection, ledger, LAN, "test", {"text": text})


def told(folder: Path) -> list[str]:
    """Return the actions of the audit trail, which holds."""
    with open_ledger(folder / FILE) as ledger:
        assert list(verify(ledger)) == []
        return [entry.action for entry in entries(ledger)]


def copy_of_good(folder: Path) -> Path:
    return Path(shutil.copytree(GOOD, folder, ignore=shutil.ignore_patterns(".tuyen")))


def province_with_state(folder: Path) -> Path:
    """A province with a state: a ledger, pins, keys, a saved configuration, a running lab's files, facts."""
    folder = copy_of_good(folder / "good")
    note(folder, "first")
    state = folder / ".tuyen"
    for name, text in {
        "known_hosts": "10.91.0.1 ssh-ed25519 AAAA\n",
        "id_ed25519": "a private key\n",
        "configurations/router.north/2026.txt": "hostname r\n",
        "lab/state.json": "{}",
    }.items():
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_text(text)
    (state / "id_ed25519").chmod(0o600)
    (state / "link").symlink_to("/etc/passwd")
    os.mkfifo(state / "pipe")
    return folder


def backup(tuyen: Tuyen, folder: Path, *words: str) -> Path:
    """Make a backup and return its file."""
    done = tuyen("--province", str(folder), "state", "backup", "--format", "json", *words)
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["items"][0]["file"])


def restore(tuyen: Tuyen, folder: Path, file: Path, *words: str) -> str:
    """Bring a backup back; return what was printed, after the exit code if that is not 0."""
    done = tuyen("--province", str(folder), "state", "restore", str(file), "--yes", *words)
    return done.stdout + done.stderr if done.returncode == 0 else f"{done.returncode}: {done.stderr}"
