"""What the baseline needs to know of a machine before it decides, as one JSON object. Changes nothing.

Its argument is JSON: {"group": name, "accounts": [...], "kernel": [settings], "folders": [paths], "units": [names]}.
It runs on the machine, by whatever Python 3.7 or newer is there, with nothing but the standard library.
"""

import grp
import json
import os
import pwd
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional  # noqa: UP035

CAP_SYS_TIME = 25
AUDIT_GET, NETLINK_AUDIT, NLM_F_REQUEST, NLMSG_ERROR = 1000, 9, 1, 2
RULES = "/etc/nftables.conf"
TABLE = ("list", "table", "inet", "tuyen")


def output(*command: str) -> Optional[str]:  # noqa: UP045
    """Return what a command prints, None when it fails or is not there."""
    try:
        return subprocess.check_output(
            command, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=20
        ).decode()
    except (OSError, subprocess.SubprocessError):
        return None


def packages() -> List[str]:  # noqa: UP006
    """Return the names of installed packages."""
    lines = (output("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}${Package}\\n") or "").splitlines()
    return sorted(line[3:] for line in lines if line.startswith("ii "))


def homes(accounts: List[str]) -> Dict[str, str]:  # noqa: UP006
    """Return the home folders of those accounts that exist."""
    known = {entry.pw_name: entry.pw_dir for entry in pwd.getpwall()}
    return {account: known[account] for account in accounts if account in known}


def members(group: str) -> List[str]:  # noqa: UP006
    """Return whom /etc/group lists in a group."""
    try:
        return sorted(grp.getgrnam(group).gr_mem)
    except KeyError:
        return []


def clock() -> bool:
    """Whether the clock is this machine's to set: a container's belongs to its host."""
    lines = Path("/proc/1/status").read_text().splitlines()
    return any(int(line.split()[1], 16) >> CAP_SYS_TIME & 1 for line in lines if line.startswith("CapBnd:"))


def audit() -> str:
    """Return "" when the kernel lets us audit, or why not: it does not let containers."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT) as kernel:
            kernel.settimeout(2)
            kernel.sendto(struct.pack("=IHHII", 16, AUDIT_GET, NLM_F_REQUEST, 1, 0), (0, 0))
            answer = kernel.recv(8192)
    except OSError as error:
        return os.strerror(error.errno) if error.errno else "no answer"
    kind, code = struct.unpack_from("=H", answer, 4)[0], struct.unpack_from("=i", answer, 16)[0]
    return os.strerror(-code) if kind == NLMSG_ERROR and code else ""


def settings(names: List[str]) -> Dict[str, Any]:  # noqa: UP006
    """Return value, and whether it can be set, of each kernel setting that there is."""
    paths = {name: Path("/proc/sys") / name.replace(".", "/") for name in names}
    return {
        name: {"value": " ".join(path.read_text().split()), "writable": os.access(path, os.W_OK)}
        for name, path in paths.items()
        if path.exists()
    }


def firewall() -> bool:
    """Whether the rules that hold are those of the file: it is loaded in a network of its own to compare."""
    meant = output("unshare", "--net", "sh", "-c", "nft -f " + RULES + " && nft -s " + " ".join(TABLE))
    return meant is not None and meant == output("nft", "-s", *TABLE)


def running(unit: str) -> bool:
    """Whether a unit runs and will after a restart."""
    return output("systemctl", "is-active", unit) is not None and output("systemctl", "is-enabled", unit) is not None


def main() -> None:
    """Look, and print."""
    asked = json.loads(sys.argv[1])
    found = {
        "packages": packages(),
        "members": members(asked["group"]),
        "homes": homes(asked["accounts"] + members(asked["group"])),
        "clock": clock(),
        "audit": audit(),
        "kernel": settings(asked["kernel"]),
        "firewall": firewall(),
        "folders": [path for path in asked["folders"] if Path(path).is_dir()],
        "running": [unit for unit in asked["units"] if running(unit)],
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
