"""What a backup of the state holds, where it goes, and which older ones it replaces."""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

from cli.actor import actor
from cli.knowledge import AUTHORITY
from cli.state_aside import finish, is_left_out
from inventory.facts import FOLDER as FACTS
from inventory.model import Province
from inventory.schedule import STATE, place_of
from ledger.archive import Manifest, Source, write
from ledger.audit import append
from ledger.backup import Copied, copy
from ledger.connection import FILE, Ledger, open_ledger
from ledger.errors import N_, BadBackupError
from ledger.folders import make_folder
from ledger.locks import FOLDER as LOCKS
from ledger.locks import DeviceLock, take
from ledger.records import Actor, now, stamp

LOCK = "tuyen-state"  # no device's id: those have a dot
SUFFIX = ".tuyen-state"
STATE_PART, BESIDE_PART, LEDGER_PART = "state/", "beside/", "ledger"
AUTHORITY_KEY = "ca.key"  # where the job 'certificates' looks for it unless told otherwise
_STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True, slots=True)
class Saved:
    """A backup that was made, and the older ones that made room for it."""

    file: Path
    manifest: Manifest
    removed: tuple[Path, ...]


def save(folder: Path, province: Province, file: Path | None, keep: int | None, passphrase_file: Path | None) -> Saved:
    """Save the state of the province in `folder`. Raises LedgerError, OSError."""
    who = actor(province, "")
    key = passphrase(folder, province, passphrase_file)
    with alone(folder, who, "state backup"):
        finish(folder, now())
        target = _target(folder, province, file)
        with open_ledger(province.database or folder / FILE) as ledger, _room(target.parent, province) as room:
            copied = copy(ledger, room / LEDGER_PART)
            about = _about(province, copied)
            manifest = write(target, _sources(folder, province, room / LEDGER_PART), about, key)
            _give(folder, target)
            _note(ledger, who, target, manifest)
        if file is None and keep is None:
            keep = province.schedule.backup_keep
        return Saved(target, manifest, _make_room(target, province, keep))


def alone(folder: Path, who: Actor, doing: str) -> DeviceLock:
    """Return the lock that only one backup or restore of a province holds. Raises DeviceBusyError, LedgerFullError."""
    lock = take(folder / LOCKS, LOCK, person=who.person, doing=doing, patience=0)
    _give(folder, folder / STATE, folder / LOCKS, folder / LOCKS / f"{LOCK}.lock")
    return lock


def _give(folder: Path, *made: Path) -> None:
    """Give what root made to whom the province belongs, who must go on with it."""
    owner = folder.stat()
    for path in made:
        if os.geteuid() == 0 and path.stat().st_uid == 0:
            os.chown(path, owner.st_uid, owner.st_gid)


def passphrase(folder: Path, province: Province, named: Path | None) -> bytes:
    """Return the passphrase in the file `named`, or in the schedule's; nothing without one. Raises BadBackupError."""
    if named is None and not province.schedule.passphrase_file:
        return b""
    file = named or place_of(folder, province.schedule.passphrase_file)
    try:
        found = file.read_bytes().partition(b"\n")[0].strip()
    except OSError as error:
        raise BadBackupError(
            N_("{file} cannot be read: {reason}"), file=file, reason=error.strerror or error
        ) from error
    if not found:
        raise BadBackupError(N_("{file} holds no passphrase in its first line"), file=file)
    return found


def _target(folder: Path, province: Province, file: Path | None) -> Path:
    if file is not None and not file.is_dir():
        return file.absolute()
    where = file.absolute() if file else place_of(folder, province.schedule.backup_folder)
    if file is None:
        make_folder(where)
        _give(folder, where)
    names = (f"{province.id}-{now() + timedelta(seconds=later):%Y%m%dT%H%M%SZ}{SUFFIX}" for later in count())
    return next(where / name for name in names if not (where / name).exists())  # two may be made within a second


@contextmanager
def _room(beside: Path, province: Province) -> Iterator[Path]:
    """Give a folder for the ledger's copy, on the disk that must have room for it anyway; take old leftovers away."""
    start = f".{province.id}-saving-"
    for left in beside.glob(f"{start}*"):  # of one that was killed: we alone hold the lock
        shutil.rmtree(left)
    for part in beside.glob(f".{province.id}-*{SUFFIX}.part"):
        part.unlink()
    room = Path(mkdtemp(prefix=start, dir=beside))
    try:
        yield room
    finally:
        shutil.rmtree(room)


def _about(province: Province, copied: Copied) -> Manifest:
    return Manifest(
        province=province.id,
        made=stamp(now()),
        tuyen=version("tuyen"),
        database=copied.database,
        revision=copied.revision,
        head_seq=copied.head.seq,
        head_hash=copied.head.hash,
        breaks=copied.breaks,
    )


def _sources(folder: Path, province: Province, ledger: Path) -> Iterator[Source]:
    yield Source(LEDGER_PART, ledger)
    for path in _files(folder / STATE):
        name = path.relative_to(folder / STATE)
        if not name.parts[0].startswith(FILE.name):
            yield Source(f"{STATE_PART}{name.as_posix()}", path)
    for path in (*_files(folder / FACTS), *_keys(folder, province)):
        yield Source(f"{BESIDE_PART}{path.relative_to(folder).as_posix()}", path)


def _keys(folder: Path, province: Province) -> Iterator[Path]:
    """Yield the certificates and keys that lie in the province's folder beside the state."""
    page = (province.page.certificate, province.page.key) if province.page else ()
    for name in dict.fromkeys((AUTHORITY, AUTHORITY_KEY, *page)):
        path = folder / name
        if name and path.is_file() and path.is_relative_to(folder) and not path.is_relative_to(folder / STATE):
            yield path


def _files(folder: Path) -> Iterator[Path]:
    """Yield the plain files below a folder, sorted; links, sockets and pipes are nobody's state."""
    for here, folders, names in os.walk(folder):
        folders.sort()
        if Path(here) == folder:
            folders[:] = [name for name in folders if not is_left_out(name)]
        for name in sorted(names):
            path = Path(here, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield path


def _note(ledger: Ledger, who: Actor, target: Path, manifest: Manifest) -> None:
    told = {"file": str(target), "head": f"{manifest.head_seq}:{manifest.head_hash}", "files": len(manifest.entries)}
    with ledger.write() as connection:
        append(connection, ledger, who, "state.backup", told)


def _make_room(target: Path, province: Province, keep: int | None) -> tuple[Path, ...]:
    """Remove the oldest backups of the province beside `target`, so that `keep` are left."""
    if keep is None:
        return ()
    ours = [path for path in target.parent.glob(f"{province.id}-*{SUFFIX}") if _is_of(path, province)]
    removed = tuple(sorted((path for path in ours if path != target), reverse=True)[keep - 1 :])
    for path in removed:
        path.unlink()
    return removed


def _is_of(path: Path, province: Province) -> bool:
    """Whether a backup was named by us for this province: another's id may begin with this one's."""
    return bool(_STAMP.fullmatch(path.name.removeprefix(f"{province.id}-").removesuffix(SUFFIX)))
