"""Mounts of this process's own mount namespace: they go with it."""

import subprocess
from pathlib import Path

from lab.namespaces import CommandError


def mount(*arguments: str, needed: bool = True) -> None:
    """Run `mount` with `arguments`. Raises CommandError with what it said, unless it is not `needed`."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, timeout=20, check=False)
    if done.returncode and needed:
        raise CommandError(done.stderr.strip())


def memory_folder(folder: Path, size: str, mode: str = "700") -> Path:
    """Make `folder` one that lies in memory, of at most `size`, for example "16m". Raises OSError, CommandError."""
    folder.mkdir(mode=0o700, exist_ok=True)
    mount("-t", "tmpfs", "-o", f"mode={mode},size={size}", "tmpfs", str(folder))
    return folder
