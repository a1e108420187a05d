"""A new province folder: the example Kiên Giang, or a small province of three offices to begin with."""

import secrets
import shutil
from pathlib import Path

from inventory.finding import InventoryError
from inventory.keypair import ensure_key
from inventory.language import _
from inventory.load import MARK, Loader
from inventory.schema import write_schemas
from inventory.secrets import PASSWORD_FILE, encrypt, references

EXAMPLE = Path(__file__).parent / "kien-giang"
SMALL = Path(__file__).parent / "small"
_OWN = (".tuyen", ".schema", "secrets.yaml")  # what is never copied: every province has its own
_NEW = ".tuyen-init"  # where a new province is made, inside its folder: only that need be ours
_HARMLESS = frozenset({".git", _NEW})
_IGNORED = "# What tuyen keeps here is state and secrets: never in git.\n.tuyen/\n"


class FolderTakenError(InventoryError):
    """The folder for a new province already holds something."""


def create_province(folder: Path, *, small: bool = False) -> Path:
    """Make a province in `folder`, with schemas, and with new random secrets, a vault password and a key of its own.

    It is a copy of the example, or the small one. The folder may exist when it holds nothing but a new git repository.
    Raises FolderTakenError, SecretError, OSError. A failure leaves nothing half-made.
    """
    existed = folder.exists()
    if existed and (not folder.is_dir() or any(path.name not in _HARMLESS for path in folder.iterdir())):
        raise FolderTakenError(_("{folder} is not empty; choose a new folder").format(folder=folder))
    new = folder / _NEW
    shutil.rmtree(new, ignore_errors=True)
    try:
        _copy(new, small=small)
        (new / ".gitignore").write_text(_IGNORED, encoding="utf-8")
        _add_secrets(new)
        for path in sorted(new.iterdir(), key=lambda path: path.name == MARK):  # what makes it a province comes last
            path.rename(folder / path.name)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if not existed and folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
    return folder


def _copy(new: Path, *, small: bool) -> None:
    shutil.copytree(SMALL if small else EXAMPLE, new, ignore=shutil.ignore_patterns(*_OWN))
    if small:
        shutil.copytree(EXAMPLE / "device-types", new / "device-types")
        for name in ("holidays.yaml", "province.tuyen.yml"):
            shutil.copy(EXAMPLE / name, new / name)


def _add_secrets(folder: Path) -> None:
    """Give the new province values of its own: nothing that was shipped opens anything."""
    password = folder / PASSWORD_FILE
    password.parent.mkdir(mode=0o700)
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24) + "\n", encoding="ascii")
    ensure_key(folder)
    province = Loader(folder).load()
    write_schemas(folder, province)
    if needed := references(province):
        encrypt(folder, {name: secrets.token_urlsafe(12) for name in needed})
