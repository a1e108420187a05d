"""The key that signs the lab's package repository: made for one lab, kept in its folder, worth nothing elsewhere.

By the stateless OpenPGP commands of sqop: they keep no keyring and leave no agent behind.
"""

from pathlib import Path

from lab.packages.command import run

_NAME = "Practice province <lab@lab.example>"


class SigningKey:
    """An OpenPGP key in a file that only our user reads."""

    def __init__(self, file: Path) -> None:
        """Take the key in `file`; without one, make it there. Raises RepositoryError."""
        self._file = file
        if not file.exists():
            made = run("sqop", "generate-key", _NAME)
            file.touch(mode=0o600)
            file.write_text(made)

    def export(self) -> str:
        """Return the public key, armored, as `signed-by` of apt takes it in a file ending in .asc."""
        return run("sqop", "extract-cert", given=self._file.read_text())

    def sign(self, text: str) -> str:
        """Return `text`, signed in the clear, as an InRelease file is."""
        return run("sqop", "inline-sign", "--as=clearsigned", str(self._file), given=text)
