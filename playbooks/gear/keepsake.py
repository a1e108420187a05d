"""How a device was before a job changed it, kept with the run for a later rollback. Holds secrets: for us only."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from inventory.language import _
from playbooks.gear.errors import MissingError
from playbooks.gear.linux import Held


@dataclass(frozen=True, slots=True)
class Keepsake:
    """A running configuration, and files by path, as they were."""

    running: str
    files: Mapping[str, Held]


def keep(folder: Path, device: str, job: str, keepsake: Keepsake) -> None:
    """Write it into the folder of a run. What a run has kept before stays: a repeated step adds files only."""
    path = folder / _name(device, job)
    if path.exists():
        earlier = _read(path)
        keepsake = Keepsake(earlier.running, {**keepsake.files, **earlier.files})
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(keepsake), file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def recall(folder: Path, device: str, job: str) -> Keepsake:
    """Return what the newest run of `job` kept; `folder` is that of a run, beside the others. Raises MissingError."""
    kept = sorted(folder.parent.glob(f"*/{_name(device, job)}"), key=lambda path: path.stat().st_mtime_ns)
    if not kept:
        told = _("no run of '{job}' has changed {device}, so there is nothing to go back to")
        raise MissingError(told.format(job=job, device=device))
    return _read(kept[-1])


def _read(path: Path) -> Keepsake:
    fields = json.loads(path.read_text(encoding="utf-8"))
    return Keepsake(fields["running"], {path: Held(*held) for path, held in fields["files"].items()})


def _name(device: str, job: str) -> str:
    return f"{device}.{job}.before.json"
