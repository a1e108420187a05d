"""A router: FRR with OSPF on a booted Linux, and beside it what its management needs: SNMP, time, logs, a firewall.

It starts with what an installer leaves: its name and its ways; jobs bring the rest.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from lab.machines.wan import is_behind
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
    lines = ["frr defaults traditional", f"hostname {machine.id}", "log syslog informational"]
    lines += ["service integrated-vtysh-config"]
    if not is_behind(machine):  # it comes back with the interface, as the line's own does not
        lines += [f"ip route 0.0.0.0/0 {machine.gateway or 'eth0'}"]
    return "\n".join([*lines, *(_ospf(machine) if machine.wans else ())]) + "\n"


def _ospf(machine: Machine) -> Iterator[str]:
    """Let it tell its office to its neighbours; one at the top also that all else is reached over it.

    What it sends itself comes from its own address: those of the lines are known to their ends only.
    """
    yield from ("interface eth0", " ip ospf area 0", " ip ospf passive", "exit")
    for end in machine.wans:
        yield from (f"interface {end.interface}", f" description {end.link}", " ip ospf area 0")
        yield from (f" ip ospf cost {end.cost}", " ip ospf network point-to-point")
        yield from (" ip ospf hello-interval 1", " ip ospf dead-interval 4", "exit")
    yield from ("router ospf", f" ospf router-id {machine.address}", " timers throttle spf 50 200 2000")
    yield from (" timers throttle lsa all 100", " timers lsa min-arrival 100")
    if not is_behind(machine):
        yield " default-information originate always"
    yield from ("exit", "route-map OWN permit 10", f" set src {machine.address}", "exit")
    yield "ip protocol ospf route-map OWN"


def _ids(root: Path, account: str) -> tuple[int, int]:
    """Return the numbers of an account of the machine and of its group."""
    lines = (line.split(":") for line in (root / "etc/passwd").read_text().splitlines())
    return next((int(fields[2]), int(fields[3])) for fields in lines if fields[0] == account)
