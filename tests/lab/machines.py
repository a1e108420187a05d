"""A lab with real machines, for tests: whom it has, and how a test logs in to them."""

import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from inventory.keypair import KEY, ensure_key
from lab.practice import Lab, Machines, enter_command, up
from tests.lab.small import SECRETS, small_province

BOOTED = ("box.north", "box.upper", "box.island")
LIGHT = ("web.hub", "box.south", "box.lower")
KINDS = dict.fromkeys(BOOTED, "booted") | dict.fromkeys(LIGHT, "light")
ADDRESS = {device.id: device.address for device in small_province().devices.values()}


class Login:
    """How a test logs in to the machines of `lab`: each has one key, accepted at first and the same ever after."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self._folder = lab, folder

    def command(self, machine: str, *words: str, user: str = "tuyen") -> list[str]:
        known = self._folder / f"known_{machine}"
        options = ["BatchMode=yes", "StrictHostKeyChecking=accept-new", f"UserKnownHostsFile={known}", "LogLevel=ERROR"]
        ssh = ["ssh", "-i", str(self._folder / KEY), *(f"-o{option}" for option in options)]
        return enter_command(self.lab, [*ssh, f"{user}@{ADDRESS[machine]}", *words])

    def run(self, machine: str, script: str, *, user: str = "tuyen", said: bytes = b"", check: bool = True) -> str:
        """Return what `script` prints on `machine`."""
        done = subprocess.run(
            self.command(machine, script, user=user), input=said, capture_output=True, timeout=60, check=False
        )
        assert not check or done.returncode == 0, (done.stdout + done.stderr).decode()
        return (done.stdout + done.stderr).decode().strip()

    def run_on(self, machines: Iterable[str], script: str) -> dict[str, str]:
        """Return what `script` prints on each of `machines`, asked at once."""
        names = list(machines)
        with ThreadPoolExecutor(len(names)) as threads:
            return dict(zip(names, threads.map(lambda name: self.run(name, script), names), strict=True))


@contextmanager
def machines(folder: Path, kinds: dict[str, str] = KINDS) -> Iterator[Login]:
    """Bring up the small province with real machines of `kinds`."""
    chosen = Machines(kinds, ensure_key(folder))
    lab = up(small_province(), folder / "lab", secrets=SECRETS, machines=chosen, die_with_parent=True, patience=90)
    try:
        yield Login(lab, folder)
    finally:
        lab.down()
