"""Where tuyen is installed, and as whom it runs."""

from dataclasses import dataclass
from pathlib import PurePosixPath

_HOMES = ("/home", "/root", "/run/user")


@dataclass(frozen=True, slots=True)
class Place:
    """What the units need to know of the machine; all paths are absolute.

    `program` are the first words of every command; `shared` says whether new folders of the state inherit a group;
    `vault_password` and `passphrase` are files that systemd hands over, "" for none.
    """

    program: tuple[str, ...]
    province: str
    user: str
    group: str
    backups: str
    reports: str
    language: str = "en"
    listen: str = ""
    vault_password: str = ""
    passphrase: str = ""
    shared: bool = False

    @property
    def state(self) -> str:
        """The folder of the state."""
        return f"{self.province}/.tuyen"

    @property
    def is_at_home(self) -> bool:
        """Whether something of it lies where people's homes are."""
        paths = (*self.program[:1], self.province, self.backups, self.reports)
        return any(PurePosixPath(path).is_relative_to(home) for path in paths for home in _HOMES)
