"""20 light servers, four idempotent operations on files each: `tuyen run` beside the same engine bare and tuned.

Ours asks, keeps a ledger and locks, applies; the bare engine is run twice, for the check and for applying. Turns of
the two alternate, each with something new to write.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figure import Figure, fastest
from tests.playbooks.field import Field, field_of

JOBS = Path(__file__).parent / "jobs"
SELECTOR = "role=server,tier=commune"
TURNS = 3
PROGRAMS = Path(sys.executable).parent


def measure() -> Iterator[Figure]:
    """Yield a figure a driver: seconds of the fastest turn."""
    with tempfile.TemporaryDirectory() as name, field_of(Path(name), "", SELECTOR) as field:
        shutil.copytree(JOBS, field.folder / "jobs")
        bare = Bare(field)
        for driver, alone in (("ansible", bare.ansible), ("pyinfra", bare.pyinfra)):
            ours, peers = [], []
            for turn in range(TURNS):
                ours.append(fastest(lambda: _ours(field, driver, f"ours{turn}"), 1))  # noqa: B023  (called at once)
                peers.append(fastest(lambda: alone(f"bare{turn}"), 1))  # noqa: B023
            devices = len(field.devices(SELECTOR))
            yield Figure(
                f"tuyen run on {devices} light servers, four file operations, by {driver}",
                min(ours),
                "s",
                f"{driver} alone, check then apply",
                min(peers),
            )


def _ours(field: Field, driver: str, turn: str) -> None:
    province = ["--province", str(field.folder)]
    words = ["run", f"four-files-{driver}", SELECTOR, "--set", f"turn={turn}", "--yes"]
    field.run([sys.executable, "-m", "cli", *province, *words], seconds=300)


class Bare:
    """The engines alone, told how to reach the same machines by files of their own, with pinned keys as ours."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._folder = field.folder / "bare"
        self._folder.mkdir()
        self._known_hosts = field.folder / ".tuyen" / "known_hosts"
        self._key = field.folder / ".tuyen" / "id_ed25519"
        addresses = [device.address for device in field.devices(SELECTOR)]
        self._write_ansible(addresses)
        self._write_pyinfra(addresses)

    def _write_ansible(self, addresses: Sequence[str]) -> None:
        options = f"-o UserKnownHostsFile={self._known_hosts} -o ControlMaster=auto -o ControlPersist=60s"
        lines = [
            "[all:vars]",
            "ansible_user=tuyen",
            "ansible_python_interpreter=/usr/bin/python3",
            f"ansible_ssh_private_key_file={self._key}",
            f"ansible_ssh_common_args={options}",
            "[all]",
            *addresses,
        ]
        (self._folder / "hosts.ini").write_text("\n".join(lines) + "\n")
        (self._folder / "ansible.cfg").write_text(
            "[defaults]\nforks=20\nretry_files_enabled=False\n[connection]\npipelining=True\n"
        )

    def _write_pyinfra(self, addresses: Sequence[str]) -> None:
        data = {
            "ssh_user": "tuyen",
            "ssh_key": str(self._key),
            "ssh_known_hosts_file": str(self._known_hosts),
            "ssh_strict_host_key_checking": "yes",
            "_sudo": True,
        }
        hosts = [(address, data) for address in addresses]
        (self._folder / "inventory.py").write_text(f"hosts = {hosts!r}\n")

    def ansible(self, turn: str) -> None:
        """Check, then apply, by ansible-playbook."""
        play = JOBS / "four-files-ansible" / "apply.yml"
        settings = [f"ANSIBLE_CONFIG={self._folder / 'ansible.cfg'}", "LC_ALL=C.UTF-8"]
        command = [str(PROGRAMS / "ansible-playbook"), "-i", str(self._folder / "hosts.ini"), "-e", f"turn={turn}"]
        for more in (["--check", "--diff"], []):
            self._field.run(["env", *settings, *command, str(play), *more], seconds=300)

    def pyinfra(self, turn: str) -> None:
        """Check, then apply, by pyinfra."""
        deploy = self._folder / f"deploy_{turn}.py"
        job = JOBS / "four-files-pyinfra" / "apply.py"
        deploy.write_text(f"import runpy\nrunpy.run_path({str(job)!r})['deploy']({{'turn': {turn!r}}})\n")
        for more in (["--dry", "--diff"], ["-y"]):
            command = [str(PROGRAMS / "pyinfra"), "--parallel", "20", *more, str(self._folder / "inventory.py")]
            self._field.run([*command, str(deploy)], seconds=300)
