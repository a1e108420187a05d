"""The processes of a machine: a container of systemd-nspawn in a control group of its own, ended all at once."""

import ctypes
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from lab.groups import end_all, make_group, remove_group
from lab.machine import SYSTEM_PATH
from lab.namespaces import CommandError, NetworkNamespace, check

REBOOT = 133  # what systemd-nspawn exits with when the machine is to start again
_CLONE_NEWNS = 0x00020000
_GROUPS = Path("/sys/fs/cgroup")  # of this lab alone, in the keeper's namespaces
_DEADLINE = 10.0  # seconds that the kernel may take to end processes
_OWN_NETWORK = {"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"}  # it may set its own network's variables, /proc/sys/net
_libc = ctypes.CDLL(None, use_errno=True)


class System(NamedTuple):
    """What is to run: `name` is short and unique in the lab, `command` what systemd-nspawn does in `root`."""

    name: str
    host_name: str
    root: Path
    log: Path
    command: Sequence[str]


def start(system: System, network: NetworkNamespace) -> "subprocess.Popen[bytes]":
    """Start it, with its clock since boot at zero. Raises OSError."""
    group = _GROUPS / system.name
    remove_group(group)
    make_group(group)
    up = Path("/proc/uptime").read_text().partition(".")[0]
    time_of_its_own = ["unshare", "--time", "--fork", "--kill-child=KILL", f"--boottime=-{up}", "--"]
    with system.log.open("ab") as log:
        return subprocess.Popen(
            [*time_of_its_own, *_nspawn(system, network)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8", "SYSTEMD_NSPAWN_LOCK": "0", **_OWN_NETWORK},
            preexec_fn=_prepare(group, network),
            start_new_session=True,
        )


def kill(system: System, process: "subprocess.Popen[bytes]") -> None:
    """End all its processes as a power cut does, and return when none is left. Raises OSError, CommandError."""
    group = _GROUPS / system.name
    end = time.monotonic() + _DEADLINE
    while end_all(group):
        if time.monotonic() > end:
            raise CommandError(f"{system.name}: processes do not end")
        process.poll()
        time.sleep(0.02)
    process.wait(_DEADLINE)
    remove_group(group)


def _nspawn(system: System, network: NetworkNamespace) -> list[str]:
    return [
        "systemd-nspawn",
        "--quiet",
        "--register=no",
        "--keep-unit",
        f"--machine={system.name}",
        f"--hostname={system.host_name}",
        f"--directory={system.root}",
        f"--network-namespace-path=/proc/{os.getpid()}/fd/{network.descriptor}",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        "--capability=CAP_NET_ADMIN",
        "--console=read-only",
        *system.command,
    ]


def _prepare(group: Path, network: NetworkNamespace) -> Callable[[], None]:
    """Return what the new process does before it becomes systemd-nspawn, which writes below /run/systemd."""
    hidden = b"/run/systemd" if Path("/run/systemd").is_dir() else b"/run"

    def prepare() -> None:
        (group / "cgroup.procs").write_text("0")
        network.enter()
        check(_libc.unshare(_CLONE_NEWNS))
        check(_libc.mount(b"tmpfs", hidden, b"tmpfs", 0, b"mode=755"))

    return prepare
