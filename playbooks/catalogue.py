"""Which jobs there are: those that ship, and the province's own in its folder jobs/, which go over them."""

from pathlib import Path

from inventory.finding import Finding
from inventory.language import _
from inventory.nearest import nearest
from playbooks.errors import InvalidJobError, UnknownJobError
from playbooks.job import MARK, Job, read_job

SHIPPED = Path(__file__).parent / "jobs"
OWN = "jobs"


def names(folder: Path) -> dict[str, Path]:
    """Return the folder of every job that the province in `folder` can run, by name, sorted."""
    found = {path.parent.name: path.parent for base in (SHIPPED, folder / OWN) for path in base.glob(f"*/{MARK}")}
    return dict(sorted(found.items()))


def find_job(folder: Path, name: str) -> Job:
    """Return the job called `name`. Raises UnknownJobError with the nearest names, InvalidJobError."""
    known = names(folder)
    if name not in known:
        raise UnknownJobError(_("no job is called '{name}'; write {near}").format(name=name, near=nearest(name, known)))
    return read_job(known[name])


def all_jobs(folder: Path) -> tuple[dict[str, Job], list[Finding]]:
    """Return every job that can be read, by name, and what is wrong with the others."""
    jobs: dict[str, Job] = {}
    findings: list[Finding] = []
    for name, path in names(folder).items():
        try:
            jobs[name] = read_job(path)
        except InvalidJobError as error:
            findings += error.findings
    return jobs, findings
