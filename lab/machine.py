"""What the lab needs of the machine, and the command by which root provides what is missing."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from inventory.language import _
from lab.errors import MachineError
from lab.groups import groups_folder

PROGRAMS: Mapping[str, str] = {
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setsid": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
}
FOR_MACHINES: Mapping[str, str] = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "zstd": "zstd",
    "tar": "tar",
    "tc": "iproute2",
}
_SWITCHES = (  # file below /proc/sys, the value that forbids, the setting that allows
    ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
)
SYSTEM_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


def environment() -> dict[str, str]:
    """Return this process's environment with the system's programs on its path: a user's often lacks sbin."""
    path = os.environ.get("PATH", "")
    return {**os.environ, "PATH": f"{path}:{SYSTEM_PATH}" if path else SYSTEM_PATH}


def namespaces(*, machines: bool = False) -> list[str]:
    """Return the options of `unshare` for the namespaces of a lab, for the user that we are."""
    own = ["--mount", "--net", "--pid", *(["--cgroup"] if machines else []), "--fork", "--kill-child=KILL"]
    return own if os.geteuid() == 0 else ["--user", "--map-root-user", *own]


def check_machine(*, machines: bool = False) -> None:
    """Raise MachineError, with everything that is missing and how to provide it; for real `machines` if wanted."""
    programs = {**PROGRAMS, **(FOR_MACHINES if machines else {})}
    lacking = list(_lacking_programs(programs)) or list(_lacking_rights())
    if machines:
        lacking += _lacking_for_machines()
    if lacking:
        raise MachineError("\n".join(lacking))


def _lacking_for_machines() -> Iterator[str]:
    if os.geteuid():
        yield _("real machines need the rights of root; run the lab as root, or without --machines")
    if groups_folder() is None:
        yield _("real machines need control groups of version 2; as root: mount -t cgroup2 cgroup2 /sys/fs/cgroup")


def _lacking_programs(wanted: Mapping[str, str]) -> Iterator[str]:
    path = environment()["PATH"]
    packages: dict[str, list[str]] = {}
    for program, package in wanted.items():
        if not shutil.which(program, path=path):
            packages.setdefault(package, []).append(program)
    for package, programs in packages.items():
        yield _("the lab needs {programs}; as root: apt-get install {package}").format(
            programs=", ".join(programs), package=package
        )


def _lacking_rights() -> Iterator[str]:
    tried = subprocess.run(
        ["unshare", *namespaces(), "--", "ip", "link", "add", "c0", "type", "veth", "peer", "name", "p0"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    if not tried.returncode:
        return
    forbidding = [
        setting for file, value, setting in _SWITCHES if os.geteuid() and _holds(Path("/proc/sys", file), value)
    ]
    for setting in forbidding:
        yield _("an ordinary user may not make namespaces here; as root: sysctl -w {setting}").format(setting=setting)
    if not forbidding:
        yield _why_not(tried.stderr.strip())


def _why_not(said: str) -> str:
    if "Not supported" in said or "Unknown device type" in said:
        return _("the kernel has no veth interfaces ({said}); as root: modprobe veth").format(said=said)
    if os.geteuid():
        return _("an ordinary user may not make namespaces here ({said}); run the lab as root").format(said=said)
    return _("this machine does not allow namespaces ({said}); a container needs: --privileged").format(said=said)


def _holds(file: Path, value: str) -> bool:
    try:
        return file.read_text().strip() == value
    except OSError:
        return False
