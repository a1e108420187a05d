"""A new province folder, copied from the example Kiên Giang."""

import secrets
import shutil
from pathlib import Path

from inventory.finding import InventoryError
from inventory.keypair import ensure_key
from inventory.language import _
from inventory.load import Loader
from inventory.schema import write_schemas
from inventory.secrets import PASSWORD_FILE, encrypt, references

EXAMPLE = Path(__file__).parent / "kien-giang"
_IGNORED = "# What tuyen keeps here is state and secrets: never in git.\n.tuyen/\n"


class FolderTakenError(InventoryError):
    """The folder for a new province already holds something."""


def create_province(folder: Path) -> Path:
    """Copy the example to `folder`, with schemas, and with new random secrets, a vault password and a key of its own.

    Raises FolderTakenError, SecretError, OSError. A failure leaves nothing half-made.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderTakenError(_("{folder} is not empty; choose a new folder").format(folder=folder))
    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        shutil.copytree(EXAMPLE, new, ignore=shutil.ignore_patterns(".tuyen", ".schema", "secrets.yaml"))
        (new / ".gitignore").write_text(_IGNORED, encoding="utf-8")
        _add_secrets(new)
        if folder.exists():
            folder.rmdir()
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return folder


def _add_secrets(folder: Path) -> None:
    """Give the new province values of its own: nothing that was shipped opens anything."""
    password = folder / PASSWORD_FILE
    password.parent.mkdir(mode=0o700)
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24) + "\n", encoding="ascii")
    ensure_key(folder)
    province = Loader(folder).load()
    write_schemas(folder, province)
    encrypt(folder, {name: secrets.token_urlsafe(12) for name in references(province)})
