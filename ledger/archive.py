"""The file of a backup: a gzip'd tar, sealed if there is a passphrase, whose last member tells what must be in it.

A file that was cut short lacks that member; one that was altered differs from it. `write` gives the file its name only
when it lies on the disk and was read back whole. Nothing of an archive is trusted: names are checked, and `read` itself
makes every file.
"""

import gzip
import hashlib
import io
import json
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, NamedTuple, cast

from ledger.errors import N_, BadBackupError
from ledger.seal import MAGIC, Opener, Sealer

MANIFEST = "manifest.json"
FORMAT = 1
_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # how ours begin: no name, no time
_AT_ONCE = 1 << 20  # bytes
_IN_MEMORY = 8 << 20  # bytes of a file that need no room on the disk while it is taken
_LARGEST_MANIFEST = 64 << 20  # bytes
_MODES = 0o770  # what a file may keep of its mode: nothing is for others


class Source(NamedTuple):
    """A file to be taken, and what it is called in the archive, such as "state/known_hosts"."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in the archive: its size in bytes, its SHA-256 in hexadecimal, and its mode."""

    name: str
    size: int
    sha256: str
    mode: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of, when it was made (UTC), by which version of tuyen; and what is in it.

    `database` is "sqlite" or "postgresql", `revision` that of the ledger; `head_seq` and `head_hash` are the newest
    row of its audit trail, `breaks` the places where that trail did not hold when it was saved.
    """

    province: str
    made: str
    tuyen: str
    database: str
    revision: str
    head_seq: int
    head_hash: str
    breaks: int
    entries: tuple[Entry, ...] = ()
    format: int = FORMAT


def write(target: Path, sources: Iterable[Source], about: Manifest, passphrase: bytes = b"") -> Manifest:
    """Write the archive `target`, which must not exist. Returns its manifest. Raises BadBackupError, OSError.

    A source that vanished meanwhile is left out. The file is for its owner only.
    """
    if target.exists():
        raise BadBackupError(N_("{file} exists already; nothing is written over it"), file=target)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        with _new_file(part) as raw:
            whole = _write(raw, sources, about, passphrase, target.parent)
            raw.flush()
            os.fsync(raw.fileno())
            os.posix_fadvise(raw.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # it is read back from the disk
        _check_same(part, passphrase, whole)
        part.rename(target)
        settle(target.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return whole


def _check_same(part: Path, passphrase: bytes, whole: Manifest) -> None:
    if read(part, passphrase) != whole:
        raise BadBackupError(N_("{file} is not what was written; the disk may be broken"), file=part)


def _new_file(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def _write(raw: BinaryIO, sources: Iterable[Source], about: Manifest, passphrase: bytes, room: Path) -> Manifest:
    with ExitStack() as ending:
        under = ending.enter_context(cast("BinaryIO", Sealer(raw, passphrase))) if passphrase else raw
        packed = ending.enter_context(gzip.GzipFile("", "wb", 6, under, mtime=0))
        tar = ending.enter_context(tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT))
        entries = tuple(entry for source in sources for entry in _add(tar, source, room))
        whole = Manifest(**{**_fields(about), "entries": entries})
        text = json.dumps(asdict(whole), ensure_ascii=False, indent=1).encode()
        tar.addfile(_member(MANIFEST, len(text), 0o600), io.BytesIO(text))
    return whole


def _fields(about: Manifest) -> dict[str, Any]:
    return {field.name: getattr(about, field.name) for field in fields(about)}


def _add(tar: tarfile.TarFile, source: Source, room: Path) -> Iterator[Entry]:
    """Add one file as it is now: it is taken as a whole first, since it may grow while it is read."""
    with suppress(FileNotFoundError), source.path.open("rb") as file:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(room)) as taken:
            digest = hashlib.sha256()
            for block in iter(lambda: file.read(_AT_ONCE), b""):
                digest.update(block)
                taken.write(block)
            size, mode = taken.tell(), os.fstat(file.fileno()).st_mode & _MODES
            taken.seek(0)
            tar.addfile(_member(source.name, size, mode), taken)
        yield Entry(source.name, size, digest.hexdigest(), mode)


def _member(name: str, size: int, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, mode
    return member


def read(archive: Path, passphrase: bytes = b"", into: Path | None = None) -> Manifest:
    """Read the archive through, prove that it is whole, and return its manifest. Raises BadBackupError, OSError.

    With `into`, an empty folder, its files are written there and onto the disk; what was written before an error stays.
    """
    with (
        archive.open("rb") as raw,
        _told(archive),
        gzip.GzipFile(fileobj=_unsealed(raw, passphrase, archive)) as packed,
    ):
        with tarfile.open(fileobj=packed, mode="r|") as tar:
            manifest = _read(tar, archive, into)
        while packed.read(_AT_ONCE):  # up to the checksum of all
            pass
    return manifest


@contextmanager
def _told(archive: Path) -> Iterator[None]:
    try:
        yield
    except EOFError as error:
        raise BadBackupError(N_("{file} was cut short"), file=archive) from error
    except (tarfile.TarError, zlib.error, gzip.BadGzipFile) as error:
        raise BadBackupError(N_("{file} is damaged ({reason})"), file=archive, reason=error) from error


def _unsealed(raw: BinaryIO, passphrase: bytes, archive: Path) -> BinaryIO:
    """Return what the archive's plain bytes are read from; a gzip whose beginning is not ours is refused."""
    start = raw.read(len(MAGIC))
    if start == MAGIC:
        if not passphrase:
            raise BadBackupError(N_("{file} is sealed; name the file with its passphrase"), file=archive)
        return io.BufferedReader(Opener(raw, passphrase, archive), _AT_ONCE)
    if not start.startswith(_GZIP):
        raise BadBackupError(N_("{file} is no backup of tuyen, or its beginning is damaged"), file=archive)
    raw.seek(0)
    return raw


def _read(tar: tarfile.TarFile, archive: Path, into: Path | None) -> Manifest:
    found: dict[str, Entry] = {}
    for member in tar:
        file = tar.extractfile(member) if member.isreg() else None
        if file is None or member.name in found or not _is_proper(member.name):
            text = N_("{file} holds what no backup of tuyen holds: {name}")
            raise BadBackupError(text, file=archive, name=member.name)
        if member.name == MANIFEST:
            return _compare(archive, file.read(_LARGEST_MANIFEST), found, into)
        found[member.name] = _take(file, member, into)
    raise BadBackupError(N_("{file} was cut short"), file=archive)


def _is_proper(name: str) -> bool:
    """Whether a name leads nowhere but below the folder that it is put into."""
    path = PurePosixPath(name)
    return bool(path.parts) and str(path) == name and not path.is_absolute() and ".." not in path.parts


def _take(file: IO[bytes], member: tarfile.TarInfo, into: Path | None) -> Entry:
    digest, size = hashlib.sha256(), 0
    with _place(into, member.name) as target:
        for block in iter(lambda: file.read(_AT_ONCE), b""):
            digest.update(block)
            size += len(block)
            target.write(block)
        target.flush()
        if into is not None:
            os.fsync(target.fileno())
    return Entry(member.name, size, digest.hexdigest(), member.mode)


def _place(into: Path | None, name: str) -> BinaryIO:
    if into is None:
        return Path(os.devnull).open("wb")
    path = into / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _new_file(path)


def _compare(archive: Path, text: bytes, found: dict[str, Entry], into: Path | None) -> Manifest:
    """Return the manifest if it tells of what was found, and of nothing else."""
    manifest = _manifest(text, archive)
    told = {entry.name: entry for entry in manifest.entries}
    wrong = sorted(name for name in told.keys() | found.keys() if told.get(name) != found.get(name))
    if wrong:
        raise BadBackupError(N_("{file} does not hold what was saved: {names}"), file=archive, names=", ".join(wrong))
    for entry in manifest.entries if into else ():
        (cast("Path", into) / entry.name).chmod(entry.mode & _MODES)
    return manifest


def _manifest(text: bytes, archive: Path) -> Manifest:
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            text_ = N_("{file} was written by another tuyen ({version}), in a form that this one cannot read")
            raise BadBackupError(text_, file=archive, version=data["tuyen"])
        return Manifest(**{**data, "entries": tuple(Entry(**entry) for entry in data["entries"])})
    except (ValueError, TypeError, KeyError) as error:
        raise BadBackupError(N_("{file} is damaged ({reason})"), file=archive, reason=error) from error


def settle(folder: Path) -> None:
    """Bring onto the disk which files a folder has. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
