"""A router: FRR with OSPF on a booted Linux, and beside it what its management needs: SNMP, time, logs, a firewall.

It starts with what an installer leaves: its name and its ways; jobs bring the rest.
"""

import os
from pathlib import Path

from lab.scene import Machine

PLATFORM = "frr"
IMAGE = "router"
PARTS: tuple[str, ...] = ()
PASSWORD = False
_DAEMONS = ("ospfd",)  # besides zebra and staticd, which always run
_FOLDERS = {"frr": "frr", "chrony": "_chrony"}  # below /var/log, and whose they are
_FILES = {
    "etc/sysctl.d/router.conf": "net.ipv4.ip_forward=1\n",
    # A container may not set the host's clock: chronyd runs, and asks its servers, without touching it.
    "etc/default/chrony": 'DAEMON_OPTS="-F 1 -x"\n',
    "etc/systemd/system/chrony.service.d/lab.conf": "[Unit]\nConditionCapability=\n",
}


def furnish(machine: Machine, root: Path) -> None:
    """Write the configuration that it starts with."""
    for name, text in _FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for folder, owner in _FOLDERS.items():
        made = root / "var/log" / folder
        made.mkdir(exist_ok=True)
        os.chown(made, *_ids(root, owner))
    daemons = root / "etc/frr/daemons"
    text = daemons.read_text()
    for daemon in _DAEMONS:
        text = text.replace(f"{daemon}=no", f"{daemon}=yes")
    daemons.write_text(text)
    configuration = root / "etc/frr/frr.conf"
    configuration.write_text(_configuration(machine))
    configuration.chmod(0o640)
    os.chown(configuration, *_ids(root, "frr"))


def command(_machine: Machine) -> list[str]:
    """Boot it."""
    return ["--boot"]


def _configuration(machine: Machine) -> str:
    lines = [
        "frr defaults traditional",
        f"hostname {machine.id}",
        "log syslog informational",
        "service integrated-vtysh-config",
        f"ip route 0.0.0.0/0 {machine.gateway or 'eth0'}",  # it comes back with the interface, as the line's own does not
    ]
    return "\n".join(lines) + "\n"


def _ids(root: Path, account: str) -> tuple[int, int]:
    """Return the numbers of an account of the machine and of its group."""
    lines = (line.split(":") for line in (root / "etc/passwd").read_text().splitlines())
    return next((int(fields[2]), int(fields[3])) for fields in lines if fields[0] == account)
