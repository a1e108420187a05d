"""A file to be brought to a device: which, where to, and how fast."""

import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from inventory.export.ssh import KNOWN_HOSTS
from inventory.language import _
from playbooks.errors import VariableError
from playbooks.target import Target

_MODE = re.compile(r"0?[0-7]{3,4}")
_OWNER = re.compile(r"[A-Za-z_][\w.-]*(:[A-Za-z_][\w.-]*)?")
_LEAST_WINDOW, _MOST_WINDOW = 16 * 1024, 1024 * 1024
_WINDOW_SHARE = 128  # 1/128 of the file may be lost in a cut
_WINDOW_SECONDS = 1.0  # that a window may take on the office's uplink
_LEAST_BLOCK = 64 * 1024
_MOST_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class Parcel:
    """One file for one device. `digest` is its SHA-256 in hex; `rate` is in bytes/s, 0 for no limit.

    `window` bytes at most are on their way at a time, which is what a cut can cost. `sent_as` names the source to
    people.
    """

    source: Path
    sent_as: str
    size: int
    digest: str
    path: str
    mode: str
    owner: str
    rate: float
    window: int
    modified: int = field(repr=False)  # nanoseconds; another one means that the source was changed meanwhile

    @property
    def part(self) -> str:
        """Where it grows on the device until it is whole; another file's parts are never gone on with."""
        return f"{self.path}.part-{self.digest[:16]}"

    @property
    def block(self) -> int:
        """The size of the blocks by which what has arrived is compared."""
        return max(_LEAST_BLOCK, -(-self.size // _MOST_BLOCKS))

    def matching(self, arrived: int, digests: list[str]) -> int:
        """Return how many of the `arrived` bytes are right, given the digest of each block of them."""
        right = 0
        with self.source.open("rb") as source:
            for digest in digests:
                piece = source.read(min(self.block, arrived - right))
                if not piece or hashlib.sha256(piece).hexdigest() != digest:
                    break
                right += len(piece)
        return right

    def unchanged(self) -> bool:
        """Whether the source is still the file that it was."""
        found = self.source.stat()
        return (found.st_size, found.st_mtime_ns) == (self.size, self.modified)


def parcel_for(target: Target, sharing: int = 1) -> Parcel:
    """Return what the job's variables say for `target`, of `sharing` at its office. Raises VariableError."""
    values = target.variables
    source = _folder(target) / str(values["file"])
    try:
        found = source.stat()
        digest = _digest(source, found.st_size, found.st_mtime_ns)
    except OSError as error:
        raise VariableError(
            _("the file {path} cannot be read: {reason}").format(path=source, reason=error.strerror)
        ) from error
    bandwidth = int(values.get("tuyen", {}).get("bandwidth") or 0)
    return Parcel(
        source=source,
        sent_as=str(values["file"]),
        size=found.st_size,
        digest=digest,
        path=_path(str(values["path"])),
        mode=_matching(_MODE, "mode", str(values.get("mode") or "0644")).zfill(4),
        owner=_matching(_OWNER, "owner", str(values.get("owner") or "root")),
        rate=_rate(values.get("rate"), bandwidth) / sharing,
        window=_window(found.st_size, bandwidth),
        modified=found.st_mtime_ns,
    )


def _folder(target: Target) -> Path:
    """Return the province's folder, below which the pinned keys lie."""
    return target.known_hosts.parents[len(KNOWN_HOSTS.parts) - 1]


@lru_cache(maxsize=64)
def _digest(source: Path, _size: int, _modified: int) -> str:
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _path(path: str) -> str:
    if not posixpath.isabs(path) or posixpath.normpath(path) != path or not path.isprintable():
        raise VariableError(
            _("the variable 'path' is '{path}'; write the file's full name on the device").format(path=path)
        )
    return path


def _matching(pattern: re.Pattern[str], name: str, value: str) -> str:
    if not pattern.fullmatch(value):
        examples = {"mode": "0644", "owner": "root:adm"}
        raise VariableError(
            _("the variable '{name}' is '{value}'; write it like {example}").format(
                name=name, value=value, example=examples[name]
            )
        )
    return value


def _rate(declared: Any, bandwidth: int) -> float:
    """Return bytes a second: what is declared in kbit/s, or half of the office's uplink (bit/s)."""
    return bandwidth / 2 / 8 if declared is None else int(declared) * 1000 / 8


def _window(size: int, bandwidth: int) -> int:
    most = bandwidth / 8 * _WINDOW_SECONDS if bandwidth else _MOST_WINDOW
    return int(max(_LEAST_WINDOW, min(size / _WINDOW_SHARE, most, _MOST_WINDOW)))
