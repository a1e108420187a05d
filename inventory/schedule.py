"""What the machine is to do by itself: the settings of `tuyen schedule` and of `tuyen state backup`."""

from pathlib import Path, PurePosixPath

from inventory.declared_province import ProvinceFile
from inventory.finding import Finding, finding
from inventory.model import Schedule
from inventory.yamlfile import Document

STATE = ".tuyen"  # what of a province's folder git leaves alone


def resolve_schedule(document: Document, shape: ProvinceFile) -> tuple[Schedule, list[Finding]]:
    """Return the schedule, and what is wrong with it."""
    said = shape.schedule
    made = Schedule(
        night=said.night,
        backup_folder=said.backup.folder,
        backup_keep=said.backup.keep,
        passphrase_file=said.backup.passphrase_file,
        reports_folder=said.reports.folder,
        reports_at=said.reports.at,
        reports_formats=tuple(dict.fromkeys(said.reports.formats)),
    )
    if _is_for_git(made.backup_folder):
        place = document.place("schedule", "backup", "folder")
        return made, [finding(place, "backup-in-git", folder=made.backup_folder)]
    return made, []


def _is_for_git(folder: str) -> bool:
    """Whether a folder lies in the province's own, where git would take what is in it along."""
    path = PurePosixPath(folder)
    return not path.is_absolute() and path.parts[:1] not in ((STATE,), ("..",), ("~",))


def place_of(folder: Path, written: str) -> Path:
    """Return where a path of the schedule leads for the province in `folder`."""
    return folder / Path(written).expanduser()
