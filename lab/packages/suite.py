"""One suite of the package repository: its index, its signed Release, and how it changes under a client's eyes.

A suite is a folder that is never changed, and a link to it that is replaced in one step. A client that read the
old InRelease still finds the old index by its hash. Each state has times of its own, in whole seconds, later than
those of the state before: apt takes equal times for "not modified", and an earlier Date for an attack.
"""

import gzip
import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path

from lab.signing import SigningKey
from lab.sources import architecture

ORIGIN = "Practice province"
COMPONENT = "main"
_INDEX = "Packages"
_SHARED = Path("public", "by-hash", "SHA256")  # every index that ever was, by its hash


def stanzas(index: str) -> Mapping[str, str]:
    """Return what `index` says of each package, with the empty line that ends it, by the name of the .deb file."""
    found = {}
    for stanza in index.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line)
        found[Path(fields["Filename"]).name] = f"{stanza}\n\n"
    return found


class Suite:
    """The suite `name` of the repository in `folder`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name, self._architecture = folder, name, architecture()
        self._lists = Path(COMPONENT, f"binary-{self._architecture}")
        self._link = folder / "public" / "dists" / name

    def publish(self, index: str, key: SigningKey) -> None:
        """Let the suite hold what `index` says, from one moment to the next. Raises RepositoryError."""
        old = self._link.resolve() if self._link.is_symlink() else None
        if old and (old / self._lists / _INDEX).read_text() == index:
            return
        stamp = max(int(time.time()), int(old.name) + 1 if old else 0)
        state = self._folder / "states" / self._name / str(stamp)
        self._fill(state / self._lists, index)
        (state / "InRelease").write_text(key.sign(self._release(state, stamp)))
        self._share(state / self._lists)
        for file in state.rglob("*"):
            os.utime(file, (stamp, stamp), follow_symlinks=False)
        self._switch(state)
        if old:
            shutil.rmtree(old)

    def _fill(self, folder: Path, index: str) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        text = index.encode()
        (folder / _INDEX).write_bytes(text)
        (folder / f"{_INDEX}.gz").write_bytes(gzip.compress(text, mtime=0))

    def _release(self, state: Path, stamp: int) -> str:
        fields = {
            "Origin": ORIGIN,
            "Label": ORIGIN,
            "Suite": self._name,
            "Codename": self._name,
            "Date": formatdate(stamp, usegmt=True).replace("GMT", "UTC"),
            "Acquire-By-Hash": "yes",
            "Architectures": self._architecture,
            "Components": COMPONENT,
        }
        lines = [f"{name}: {value}" for name, value in fields.items()]
        files = sorted(file for file in state.rglob("Packages*") if file.is_file())
        sums = [f" {_hash(file)} {file.stat().st_size} {file.relative_to(state)}" for file in files]
        return "\n".join((*lines, "SHA256:", *sums, ""))

    def _share(self, folder: Path) -> None:
        shared = self._folder / _SHARED
        shared.mkdir(parents=True, exist_ok=True)
        for file in [file for file in folder.iterdir() if file.is_file()]:
            shutil.copyfile(file, shared / _hash(file))
        (folder / "by-hash").symlink_to(os.path.relpath(shared.parent, folder))

    def _switch(self, state: Path) -> None:
        self._link.parent.mkdir(parents=True, exist_ok=True)
        new = self._link.with_name(f".{self._name}")
        new.unlink(missing_ok=True)
        new.symlink_to(os.path.relpath(state, self._link.parent))
        new.replace(self._link)


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
