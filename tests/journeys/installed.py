"""tuyen installed on a booted machine of the lab, as on a real controller: a Python, an environment, no way to ours.

The machine gets copies by SSH: the interpreter and its libraries, the packages of this environment, our own. It is the
host's release, so that what is compiled here runs there.
"""

import io
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path

from lab.practice import enter_command
from tests.playbooks.field import Field

HOME = "/opt/tuyen"
ROOMS = ("inventory", "ledger", "playbooks", "exporters", "lab", "cli", "ansible_collections")
REPOSITORY = Path(__file__).parents[2]
# Of no use there, and large.
NOT_NEEDED = (
    "ansible_test ansiblelint ast_serialize babel fake_switches grimp hypothesis mypy mypyc pip playwright pytest "
    "_pytest setuptools xdist"
)
SCRIPT = f"#!{HOME}/environment/bin/python\nfrom cli.main import main\n\nmain()\n"
VAULT = f"#!{HOME}/environment/bin/python\nfrom ansible.cli.vault import main\n\nmain()\n"


def install(field: Field, device: str, province: Path) -> None:
    """Put tuyen and a province onto a machine: /opt/tuyen, and /srv/province, which the account tuyen owns."""
    key, known_hosts = field.folder / ".tuyen/id_ed25519", field.folder / ".tuyen/known_hosts"
    ssh = [
        "ssh",
        f"-oUserKnownHostsFile={known_hosts}",
        "-oBatchMode=yes",
        "-oCiphers=aes128-gcm@openssh.com",
        f"-i{key}",
    ]
    where = f"root@{field.province.devices[device].address}"
    unpack = enter_command(field.lab, [*ssh, where, "tar -x -C / --no-same-owner -f -"])
    with subprocess.Popen(unpack, stdin=subprocess.PIPE) as process:
        assert process.stdin
        with tarfile.open(fileobj=process.stdin, mode="w|", bufsize=1 << 20) as tar:
            _pack(tar, province)
    assert process.returncode == 0
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    field.shell(
        device,
        f"ldconfig && {HOME}/python/bin/python3 -m venv --without-pip {HOME}/environment"
        f" && rmdir {HOME}/environment/lib/{version}/site-packages"
        f" && mv {HOME}/packages {HOME}/environment/lib/{version}/site-packages"
        f" && mv {HOME}/tuyen {HOME}/ansible-vault {HOME}/environment/bin/ && chown -R tuyen: /srv/province",
        seconds=180,
    )


def _pack(tar: tarfile.TarFile, province: Path) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = f"{HOME}/python"
    interpreter = Path(sys.executable).resolve()
    tar.add(interpreter, f"{base}/bin/python3")
    tar.add(sysconfig.get_path("stdlib"), f"{base}/lib/{version}", filter=_needed_of_python)
    for library in _libraries(interpreter):
        tar.add(library.resolve(), f"/usr/local/lib/{library.name}")
    for path in sorted(Path(sysconfig.get_path("purelib")).iterdir()):
        if path.name not in NOT_NEEDED.split() and "mypyc" not in path.name and path.suffix != ".pth":
            tar.add(path, f"{HOME}/packages/{path.name}", filter=_without_caches)
    for room in ROOMS:
        tar.add(REPOSITORY / room, f"{HOME}/packages/{room}", filter=_without_caches)
    for name, text in (("tuyen", SCRIPT), ("ansible-vault", VAULT)):
        member = tarfile.TarInfo(f"{HOME}/{name}")
        member.size, member.mode = len(text), 0o755
        tar.addfile(member, io.BytesIO(text.encode()))
    for fonts in sorted(Path("/usr/share/fonts/truetype").glob("liberation*")):  # what reports in PDF are set in
        tar.add(fonts, str(fonts))
    tar.add(province, "/srv/province")


def _needed_of_python(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    parts = Path(member.name).parts
    unneeded = {"site-packages", "dist-packages", "test", "idlelib", "tkinter", "lib2to3", "ensurepip", "__pycache__"}
    return None if unneeded & set(parts) or "config-" in member.name else member


def _without_caches(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in member.name or "/.tuyen" in member.name else member


def _libraries(interpreter: Path) -> Iterator[Path]:
    """Yield the shared libraries that the interpreter and the standard library's modules need, but the C library."""
    modules = sorted(Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so"))
    said = subprocess.run(
        ["ldd", interpreter, *modules], capture_output=True, text=True, timeout=60, check=False
    ).stdout
    found = {Path(words[2]) for line in said.splitlines() if len(words := line.split()) >= 4 and words[1] == "=>"}
    c_library = ("libc.", "libm.", "libpthread.", "libdl.", "librt.", "libutil.", "ld-linux")
    yield from sorted(path for path in found if path.is_absolute() and not path.name.startswith(c_library))
