"""Host keys of devices: asked for, compared with the pinned ones, and pinned once a person has said yes.

    seen = list(scan_hosts(targets))
    ...show name, state and fingerprint, and ask...
    pin_hosts(known_hosts, [host for host in seen if host.state is State.NEW])

A device behind a jump host can be asked only when the jump host's own key is pinned: pin the nearer ones first.
"""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from inventory.language import _
from ledger.folders import make_folder
from playbooks.connection import PATIENCE, scan
from playbooks.errors import AccessError, ReachError
from playbooks.pins import Pin, entry_name, pins_of
from playbooks.target import Login, Target

_PARALLEL = 50  # handshakes at a time; each is a tenth of a second of our processor
_SHARED = stat.S_IRGRP | stat.S_IWGRP


class State(StrEnum):
    """How the key that a device shows compares with the pinned ones."""

    NEW = "new"  # nothing is pinned yet
    SAME = "same"
    CHANGED = "changed"
    NO_ANSWER = "no-answer"  # `reason` says why


class Host(NamedTuple):
    """What a device showed. `found` is None without an answer."""

    login: Login
    state: State
    found: Pin | None = None
    pinned: tuple[Pin, ...] = ()
    reason: str = ""


def scan_hosts(targets: Sequence[Target], patience: float = PATIENCE, parallel: int = _PARALLEL) -> Iterator[Host]:
    """Ask devices for their host keys, many at a time; yields them in the order of `targets` as they come."""
    with ThreadPoolExecutor(parallel) as pool:
        yield from pool.map(lambda target: _look(target, patience), targets)


def pin_hosts(known_hosts: Path, hosts: Iterable[Host]) -> int:
    """Pin what was found, and return how many lines that wrote.

    A changed device's older keys are no longer believed. Every other line of the file, comments too, stays as it is.
    """
    wanted = {entry_name(host.login): host for host in hosts if host.found and host.state is not State.SAME}
    with _alone(known_hosts):
        lines = _lines(known_hosts)
        kept = [left for line in lines if (left := _without(line, wanted)) is not None]
        _replace(known_hosts, [*kept, *(_line(name, host) for name, host in wanted.items())])
    return len(wanted)


def _lines(known_hosts: Path) -> list[str]:
    """Return the lines that are there. Raises AccessError for a file that is no text: it is not ours to replace."""
    try:
        return known_hosts.read_text(encoding="utf-8").splitlines() if known_hosts.is_file() else []
    except UnicodeDecodeError as error:
        message = _("{path} holds something else than text ({reason}); mend it or move it away")
        raise AccessError(message.format(path=known_hosts, reason=error.reason)) from error


def _look(target: Target, patience: float) -> Host:
    pinned = pins_of(target.login, target.known_hosts)
    try:
        found = scan(target.login, target.jumps, target.known_hosts, patience)
    except ReachError as error:
        return Host(target.login, State.NO_ANSWER, pinned=pinned, reason=str(error))
    state = State.SAME if found in pinned else State.CHANGED if pinned else State.NEW
    return Host(target.login, state, found, pinned)


def _line(name: str, host: Host) -> str:
    assert host.found
    return f"{name} {host.found.kind} {host.found.key} {host.login.device}"


def _without(line: str, wanted: dict[str, Host]) -> str | None:
    """Return a line without the names whose key of this type is replaced; None when no name is left on it."""
    words = line.split()
    if len(words) < 3 or words[0].startswith(("#", "@", "|")):
        return line
    names = words[0].split(",")
    left = [name for name in names if not (name in wanted and _replaces(wanted[name], words[1]))]
    if left == names:
        return line
    return " ".join([",".join(left), *words[1:]]) if left else None


def _replaces(host: Host, kind: str) -> bool:
    return host.state is State.CHANGED or (host.found is not None and host.found.kind == kind)


@contextmanager
def _alone(known_hosts: Path) -> Iterator[None]:
    """Keep others from pinning meanwhile; the lock is a file beside, as the file itself is replaced."""
    make_folder(known_hosts.parent)
    mode = _mode(known_hosts.parent)
    descriptor = os.open(known_hosts.with_name(known_hosts.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _mode(folder: Path) -> int:
    """Return the mode of our files in `folder`: for the owner, and for the group where the folder is the group's."""
    return 0o600 | (_SHARED if folder.stat().st_mode & stat.S_IWGRP else 0)


def _replace(path: Path, lines: Sequence[str]) -> None:
    """Write a file that is whole at every moment, and lasts over a power cut."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            written.writelines(f"{line}\n" for line in lines)
            written.flush()
            os.fchmod(written.fileno(), _mode(path.parent))
            os.fsync(written.fileno())
        Path(name).replace(path)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
