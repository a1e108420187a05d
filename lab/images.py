"""The images that machines are made from: systems of the host's own release, made once and kept as archives.

An archive lies in ${XDG_CACHE_HOME:-~/.cache}/tuyen/lab, named after everything that it was made from: another
list of packages, release or architecture is another archive. It names no mirror, and holds no key.
"""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from inventory.language import _
from lab.errors import MachineError
from lab.sources import architecture, settings, sources, suite

SERVER = (
    "apt ca-certificates curl dbus gpgv iproute2 iputils-ping nftables openssh-server procps python3-apt "
    "python3-minimal sudo systemd systemd-sysv tzdata"
)
ROUTER = f"{SERVER} chrony frr frr-pythontools rsyslog snmpd"
SWITCH = "iproute2 openssh-server python3-lxml python3-netaddr python3-twisted sudo"
# The packages of each, besides the essential ones.
IMAGES: Mapping[str, str] = {"server": SERVER, "router": ROUTER, "switch": SWITCH}

# What a machine in a container never needs: consoles, file systems, clocks and accounting that are the host's.
MASKED = (
    "apt-daily-upgrade.timer apt-daily.timer console-getty.service cryptsetup.target dev-hugepages.mount "
    "dev-mqueue.mount dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer getty@tty1.service "
    "integritysetup.target ldconfig.service modprobe@.service proc-sys-fs-binfmt_misc.automount remote-fs.target "
    "swap.target sys-fs-fuse-connections.mount systemd-ask-password-console.path systemd-ask-password-wall.path "
    "systemd-binfmt.service systemd-initctl.socket systemd-journal-catalog-update.service "
    "systemd-journal-flush.service systemd-machine-id-commit.service systemd-modules-load.service "
    "systemd-network-generator.service systemd-pstore.service systemd-remount-fs.service systemd-sysusers.service "
    "systemd-tmpfiles-clean.timer systemd-update-done.service systemd-update-utmp-runlevel.service "
    "systemd-update-utmp.service veritysetup.target"
)
_JOURNAL = "[Journal]\nStorage=volatile\nRuntimeMaxUse=4M\nReadKMsg=no\nAudit=no\n"
_MANAGER = "[Manager]\nDefaultCPUAccounting=no\nDefaultMemoryAccounting=no\nDefaultTasksAccounting=no\nShowStatus=no\n"
_SUDO = "tuyen ALL=(ALL) NOPASSWD: ALL\n"
_PATIENCE = 900.0  # seconds for a slow mirror

# Run by mmdebstrap with the new root as its argument; $masked, $journal, $manager and $sudo come with the environment.
_FINISH = """set -e
root=$1
for unit in $masked; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
mkdir -p "$root/etc/systemd/system.conf.d" "$root/etc/systemd/journald.conf.d"
printf %s "$journal" > "$root/etc/systemd/journald.conf.d/lab.conf"
printf %s "$manager" > "$root/etc/systemd/system.conf.d/lab.conf"
chroot "$root" useradd --create-home --shell /bin/bash tuyen
printf %s "$sudo" > "$root/etc/sudoers.d/tuyen"
chmod 440 "$root/etc/sudoers.d/tuyen"
rm -f "$root"/etc/ssh/ssh_host_* "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/etc/apt/sources.list.d/*
: > "$root/etc/apt/sources.list"
: > "$root/etc/machine-id"
rm -f "$root/etc/resolv.conf" "$root/etc/hostname"
rm -rf "$root"/var/lib/apt/lists "$root"/var/cache/apt/*.bin
find "$root/var/log" -type f -delete
mkdir -p "$root/var/lib/apt/lists/partial"
"""


def cache_folder() -> Path:
    """Return where archives are kept from lab to lab."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home else Path.home() / ".cache") / "tuyen" / "lab"


def archive(name: str) -> Path:
    """Return the archive of the image `name`, a row of IMAGES; it may not have been made yet."""
    made_from = [suite(), architecture(), IMAGES[name], MASKED, _JOURNAL, _MANAGER, _SUDO, _FINISH]
    key = hashlib.sha256("\0".join(made_from).encode()).hexdigest()[:16]
    return cache_folder() / f"{name}-{suite()}-{architecture()}-{key}.tar.zst"


def provide(name: str) -> Path:
    """Return the archive of the image `name`, made now if it is not there: about a minute, from the host's mirror.

    Raises MachineError with the last words of what failed.
    """
    wanted = archive(name)
    if not wanted.exists():
        with _alone(wanted):
            if not wanted.exists():
                _make(name, wanted)
    return wanted


def read_file(image: Path, name: str) -> bytes:
    """Return what the file `name`, "etc/passwd" for example, holds in the archive `image`. Raises MachineError."""
    read = ["tar", "--extract", "--zstd", "--to-stdout", f"--file={image}", f"./{name}"]
    done = subprocess.run(read, capture_output=True, timeout=60, check=False)
    if done.returncode:
        raise MachineError(_("the image {image} cannot be read; remove it, and it is made anew").format(image=image))
    return done.stdout


@contextmanager
def _alone(wanted: Path) -> Iterator[None]:
    """Hold off others who want to make the same archive."""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with wanted.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(name: str, wanted: Path) -> None:
    unfinished, log = wanted.with_suffix(".new"), wanted.with_suffix(".log")
    with log.open("wb") as said:
        making = subprocess.Popen(
            _mmdebstrap(name), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=_environment()
        )
        with making, unfinished.open("wb") as written:
            packed = subprocess.run(
                ["zstd", "-q", "-3", "-T0"],
                stdin=making.stdout,
                stdout=written,
                stderr=said,
                timeout=_PATIENCE,
                check=False,
            )
            made = making.wait(_PATIENCE)
    if made or packed.returncode:
        unfinished.unlink()
        raise MachineError(_("the image '{name}' could not be made: {reason}").format(name=name, reason=_reason(log)))
    unfinished.replace(wanted)
    log.unlink()


def _mmdebstrap(name: str) -> list[str]:
    excluded = ("doc", "man", "locale", "info", "lintian")
    return [
        "mmdebstrap",
        "--mode=root",
        "--format=tar",
        "--variant=minbase",
        f"--include={IMAGES[name].replace(' ', ',')}",
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Languages "none"',
        *(f"--aptopt={line}" for line in settings()),
        *(f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in excluded),
        "--dpkgopt=force-unsafe-io",
        f"--customize-hook={_FINISH}",
        suite(),
        "-",
        *sources(),
    ]


def _environment() -> dict[str, str]:
    finish = {"masked": MASKED, "journal": _JOURNAL, "manager": _MANAGER, "sudo": _SUDO}
    return {**os.environ, "LC_ALL": "C.UTF-8", **finish}


def _reason(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    told = [line for line in lines if line.startswith("E:")]
    return (told or lines or [_("it ended without a word")])[-1]
