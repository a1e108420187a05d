"""A machine's disk: an image that all share and nobody alters, and over it what the machine has written.

It outlives a power cut, as a real one does, and can be full.
"""

import os
import subprocess
from pathlib import Path

from lab.mounts import memory_folder, mount
from lab.namespaces import CommandError

_SIZE = 1 << 30  # bytes
_LEFT = 100 << 10  # bytes that a full disk still has


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an image into memory, at `folder`. Raises CommandError."""
    memory_folder(folder, "3g", "755")
    command = ["tar", "--extract", "--zstd", "--numeric-owner", "--xattrs", "--xattrs-include=*"]
    done = subprocess.run([*command, f"--file={archive}"], cwd=folder, capture_output=True, timeout=120, check=False)
    if done.returncode:
        raise CommandError(done.stderr.decode(errors="replace").strip())
    return folder


class Disk:
    """The disk of one machine; `root` is where its system is seen."""

    def __init__(self, image: Path, folder: Path) -> None:
        """Make it, empty over `image`. Raises OSError, CommandError."""
        self._folder = memory_folder(folder, str(_SIZE), "755")
        self.root, upper, work = (folder / name for name in ("root", "upper", "work"))
        for made in (self.root, upper, work):
            made.mkdir(mode=0o755)
        mount("-t", "overlay", "-o", f"lowerdir={image},upperdir={upper},workdir={work}", "overlay", str(self.root))

    def fill(self) -> None:
        """Leave it hardly any room."""
        held = os.statvfs(self._folder)
        self._resize((held.f_blocks - held.f_bfree) * held.f_frsize + _LEFT)

    def free(self) -> None:
        """Give it its room again."""
        self._resize(_SIZE)

    def _resize(self, size: int) -> None:
        mount("-o", f"remount,size={size}", "tmpfs", str(self._folder))
