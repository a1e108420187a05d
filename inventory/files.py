"""The files of a province's folder: which are read, and which somebody meant to be read."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path, PurePath

from inventory.finding import Finding, Place, finding

NAMES = ("province.yaml", "units.yaml", "kinds.yaml", "services.yaml", "people.yaml", "holidays.yaml", "secrets.yaml")
_NEAR_MISSES = (
    ("offices", "*/*", "offices/"),
    ("rollouts", "*/*", "rollouts/"),
    ("device-types", "*", "device-types/VENDOR/"),
)
_SUFFIXES = (".yaml", ".yml")


def paths_in(folder: Path, inside: str, pattern: str) -> list[str]:
    """Return the YAML files of a folder by their names from `folder`, sorted; not what editors hide there."""
    paths = (path for path in (folder / inside).glob(pattern) if _is_yaml(path))
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def misplaced(folder: Path) -> Iterator[Finding]:
    """Complain of YAML files that would be passed over in silence, although they look as if they were meant."""
    present = set(NAMES).intersection(path.name for path in folder.glob("*.yaml"))
    for path in folder.glob("*"):
        if _is_yaml(path) and path.name not in NAMES:
            meant = get_close_matches(f"{path.stem}.yaml", set(NAMES) - present, n=1, cutoff=0.8)
            if meant:
                yield finding(Place(path.name), "misplaced-file", where=meant[0])
    for inside, pattern, where in _NEAR_MISSES:
        for name in paths_in(folder, inside, pattern):
            yield finding(Place(name), "misplaced-file", where=f"{where}{PurePath(name).name}")


def _is_yaml(path: Path) -> bool:
    return path.suffix in _SUFFIXES and not path.name.startswith(".")
