"""Loading 1,000 offices with 15,000 devices: cold in a process of its own, and again after one changed file."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, fastest
from benchmarks.large import write_province
from inventory.export.ansible import write_ansible
from inventory.load import Loader

_COLD = "import sys; from pathlib import Path; from inventory.load import load; load(Path(sys.argv[1]))"


def measure() -> Iterator[Figure]:
    """Yield the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_province(folder)
        cold = fastest(lambda: subprocess.run([sys.executable, "-c", _COLD, name], check=True))
        loader = Loader(folder)
        province = loader.load()
        peer = _ansible(folder, write_ansible(province, tuple(province.devices.values())))
        yield Figure("load and check 15,000 devices, cold process", cold, "s", "ansible-inventory --list", peer)
        yield Figure("load again after one changed file", _reload(loader, folder), "s", "cold", cold)


def _ansible(folder: Path, text: str) -> float:
    exported = folder / "hosts.yml"
    exported.write_text(text, encoding="utf-8")
    program = Path(sys.executable).with_name("ansible-inventory")
    command = [str(program), "-i", str(exported), "--list"]
    return fastest(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), 1)


def _reload(loader: Loader, folder: Path) -> float:
    changed = folder / "offices" / "d3.yaml"
    text = changed.read_text(encoding="utf-8")
    found = []
    for day in range(2, 7):
        changed.write_text(text.replace("2019-05-01", f"2019-05-0{day}", 1), encoding="utf-8")
        found.append(fastest(loader.load, 1))
    return min(found)
