"""What every machine has of its own: names, identity, SSH host keys; and what all have from the lab."""

import os
import uuid
from pathlib import Path

from lab.machines.keys import write_host_keys
from lab.scene import Machine

_LONGEST = 63  # characters of a host name


def host_name(machine: Machine) -> str:
    """Return what the machine calls itself: its id, for example "box.dong-yen"."""
    return machine.id[:_LONGEST].rstrip(".-")


def furnish_image(root: Path, authorized: str, name_server: str) -> None:
    """Write into an image of this lab what all machines made from it share; accounts: root and tuyen."""
    _write(root / "etc/resolv.conf", f"nameserver {name_server}\noptions timeout:2 attempts:1\n" if name_server else "")
    for home in ("root", "home/tuyen"):
        owner = (root / home).stat()
        keys = root / home / ".ssh/authorized_keys"
        keys.parent.mkdir(mode=0o700, exist_ok=True)
        _write(keys, f"{authorized}\n", 0o600)
        for path in (keys.parent, keys):
            os.chown(path, owner.st_uid, owner.st_gid)


def furnish_machine(machine: Machine, root: Path) -> None:
    """Write into `root` what makes this machine itself. sudo looks its name up: it must be in /etc/hosts."""
    name = host_name(machine)
    _write(root / "etc/hostname", f"{name}\n")
    _write(root / "etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {machine.name} {name}\n")
    _write(root / "etc/machine-id", f"{uuid.uuid4().hex}\n", 0o444)
    write_host_keys(root / "etc/ssh", name)


def _write(file: Path, text: str, mode: int = 0o644) -> None:
    file.unlink(missing_ok=True)
    file.write_text(text)
    file.chmod(mode)
