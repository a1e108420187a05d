"""The room beside the present state where another is made ready, and what becomes of the one that was replaced.

    .tuyen.restoring/this            the name of this restore, written first
    .tuyen.restoring/new/state       the state as it is to be; its restored.json holds that name, too
    .tuyen.restoring/new/beside      facts and keys that lie beside the state

Once `.tuyen` and `new/state` have changed places, the present state holds that name, and what lies there is the former
one. So whoever comes after a restore that was killed knows what it left: something to be thrown away, or to be kept.
"""

import json
import os
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from inventory.schedule import STATE
from ledger.archive import settle

ROOM = ".tuyen.restoring"
KEPT_ASIDE = "before-restore-"
# What of the state is not saved: it is of this moment or this machine, is made again, or is a copy itself.
LEFT_OUT = frozenset({"backups", "lab", "locks"})
_LOCKS = "locks"
_THIS, _NEW, _MARK = "this", "new", "restored.json"


def is_left_out(name: str) -> bool:
    """Whether no backup holds what is called `name` at the top of the state."""
    return name in LEFT_OUT or name.startswith(KEPT_ASIDE)


def make_room(folder: Path, this: str) -> Path:
    """Return the empty folder in which the state of this restore is to be made ready. Raises OSError."""
    room = folder / ROOM
    room.mkdir(mode=0o700)
    _write(room / _THIS, this)
    (room / ".gitignore").write_text("*\n")  # it holds keys
    made = room / _NEW
    made.mkdir(mode=0o700)
    settle(room)
    return made


def mark(state: Path, this: str) -> None:
    """Write into a state which restore made it."""
    _write(state / _MARK, json.dumps({"restore": this}))


def _write(file: Path, text: str) -> None:
    with file.open("w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())


def finish(folder: Path, now: datetime) -> Path | None:
    """Put in order what a restore left in its room, and return where the former state lies now, if it does."""
    room = folder / ROOM
    if not room.is_dir():
        return None
    found = room / _NEW / "state"
    aside = _keep(folder / STATE, found, now) if found.is_dir() and _was_exchanged(room, folder / STATE) else None
    shutil.rmtree(room)
    settle(folder)
    return aside


def _was_exchanged(room: Path, state: Path) -> bool:
    this = (room / _THIS).read_text(encoding="utf-8") if (room / _THIS).is_file() else ""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return bool(this) and json.loads((state / _MARK).read_text(encoding="utf-8"))["restore"] == this
    return False


def _keep(state: Path, former: Path, now: datetime) -> Path | None:
    """Move the former state into the present one, and what no backup holds back to its place."""
    for path in former.iterdir():
        if is_left_out(path.name) and path.name != _LOCKS and not (state / path.name).exists():
            path.rename(state / path.name)
    if all(path.name == _LOCKS for path in former.iterdir()):
        return None  # there was no state before
    aside = state / f"{KEPT_ASIDE}{now:%Y%m%dT%H%M%S%f}Z"
    former.rename(aside)
    settle(state)
    return aside
