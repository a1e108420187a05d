"""Kill a process at every one of its steps: each time it is about to change a file, a folder or a database.

    python -m tests.cli.killing restore|save PROVINCE [FILE]

prints, for each step, what the province's state was after the kill, and again when it was put in order, as JSON; the
last line is of the one that lived.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from cli.state_aside import finish
from cli.state_restoring import Restoring
from cli.state_saving import save
from inventory.load import load
from inventory.model import Province
from ledger.archive import read
from ledger.audit import entries, verify
from ledger.connection import FILE, open_ledger
from ledger.records import now

_AGAIN = 5  # so many kills for each that is followed by a second go, which takes longer
STEPS = {
    *(f"os.{what}" for what in ("rename", "mkdir", "remove", "rmdir", "link", "chmod", "chown", "truncate")),
    *("sqlite3.connect", "ctypes.dlopen", "open", "shutil.rmtree"),
}


def die_at(step: int) -> None:
    """Let this process be killed when it is about to take its step of that number."""
    left = step

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event not in STEPS or (event == "open" and not _writes(arguments)):
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def _writes(arguments: tuple[object, ...]) -> bool:
    """Whether a file is opened to be written, or a folder to be brought onto the disk."""
    flags = arguments[2] if len(arguments) > 2 else 0
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_DIRECTORY))


def act(what: str, folder: Path, province: Province, file: str) -> None:
    """Restore or save."""
    if what == "save":
        save(folder, province, None, 2, None)
        return
    with Restoring(folder, province) as restoring:
        restoring.unpack(Path(file), b"")
        restoring.swap()


def state(folder: Path) -> dict[str, object]:
    """Return what the ledger and the files tell, each for itself."""
    with open_ledger(folder / FILE) as ledger:
        holds = list(verify(ledger)) == []
        actions = [entry.action for entry in entries(ledger)]
    saved = sorted((folder / ".tuyen/backups").glob("*.tuyen-state"))
    return {
        "holds": holds,
        "actions": actions,
        "pins": (folder / ".tuyen/known_hosts").read_text(),
        "former": [path.read_text() for path in (folder / ".tuyen").glob("before-restore-*/known_hosts")],
        "room": (folder / ".tuyen.restoring").exists(),
        "files": [len(read(path).entries) for path in saved],
        "odd": sorted(path.name for path in (folder / ".tuyen/backups").glob(".*")),
    }


def main() -> None:
    """Do it, with one step more each time, until it ends by itself."""
    what, before, file = sys.argv[1], Path(sys.argv[2]), "".join(sys.argv[3:])
    province = load(before)
    memory = Path("/dev/shm")  # where hundreds of fsync are quick
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as room:
        for step in range(1, 1000):
            folder = Path(shutil.copytree(before, Path(room, "tried"), symlinks=True))
            child = os.fork()
            if child == 0:
                die_at(step)
                act(what, folder, province, file)
                os._exit(0)
            lived = os.waitpid(child, 0)[1] == 0
            after = state(folder)
            if lived or step % _AGAIN == 0:
                act(what, folder, province, file)  # whoever comes after puts it in order
            else:
                finish(folder, now())
            print(json.dumps({"after": after, "again": state(folder)}), flush=True)
            shutil.rmtree(folder)
            if lived:
                return


if __name__ == "__main__":
    main()
