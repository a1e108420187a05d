"""What probes may use beside the declaration: secrets, pinned host keys, and authorities to trust."""

from collections.abc import Mapping
from pathlib import Path

from exporters.questions import Knowledge
from inventory.finding import InventoryError
from inventory.language import _
from inventory.model import Province
from inventory.secrets import FILE, open_secrets, password_file, references_of_probes
from lab.inside import inside

STATE = ".tuyen"
AUTHORITY, KNOWN_HOSTS = "ca.pem", Path(STATE, "known_hosts")


class PracticeError(InventoryError):
    """The addresses of this province are illustrative, and outside the lab they may be somebody's."""


def check_place(province: Province) -> None:
    """Refuse to ask a practice province outside the lab. Raises PracticeError."""
    if province.practice and not inside():
        raise PracticeError(
            _(
                "{province} is for practice: its addresses are illustrative, and out here they may belong to others; "
                "bring it up with 'tuyen lab up' and write 'tuyen lab run -- tuyen ...', "
                "or delete 'practice: true' from province.yaml when the addresses are yours"
            ).format(province=province.name)
        )


def gather(folder: Path, province: Province) -> Knowledge:
    """Return what the province's folder holds for probes.

    Raises PracticeError, and SecretError when secrets are needed and shut.
    """
    check_place(province)
    authority = folder / AUTHORITY
    return Knowledge(
        secrets=_secrets(folder, province),
        host_keys=read_known_hosts(folder / KNOWN_HOSTS),
        ca_file=str(authority) if authority.is_file() else "",
    )


def _secrets(folder: Path, province: Province) -> Mapping[str, str]:
    """Open the vault where what is asked needs it; and where it can be opened, as /probe may ask by any module."""
    openable = (folder / FILE).is_file() and password_file(folder) is not None
    return open_secrets(folder) if openable or references_of_probes(province) else {}


def read_known_hosts(path: Path) -> dict[str, str]:
    """Return the pinned keys by address, in OpenSSH's known_hosts form without hashing; several keys on lines."""
    pinned: dict[str, str] = {}
    if not path.is_file():
        return pinned
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if len(words) < 3 or words[0].startswith(("#", "@", "|")):
            continue
        for address in words[0].split(","):
            key = f"{words[1]} {words[2]}"
            pinned[address] = f"{pinned[address]}\n{key}" if address in pinned else key
    return pinned
