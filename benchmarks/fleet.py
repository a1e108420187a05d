"""10,000 lab addresses: a ping sweep beside fping, and the watch beside Debian's blackbox_exporter."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.large import DEVICES_OF_AN_OFFICE, write_province
from inventory.load import load
from lab.practice import enter_command, up
from lab.running import Lab

TARGETS = 10_000
MEBIBYTE = 2**20


def measure() -> Iterator[Figure]:
    """Yield the figures, all of them taken in one lab."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "province")
        write_province(folder, TARGETS // DEVICES_OF_AN_OFFICE + 1)
        lab = up(load(folder), Path(name, "lab"), secrets={}, die_with_parent=True)
        try:
            yield from _figures(lab, folder)
        finally:
            lab.down()


def _figures(lab: Lab, folder: Path) -> Iterator[Figure]:
    sweep = _inside(lab, "sweep", folder)
    if sweep["answered"] != TARGETS:
        raise SystemExit(f"only {sweep['answered']} of {TARGETS} addresses answered")
    what = f"ping sweep of 10,000 addresses ({sweep['busy']:.2f} s of processor)"
    peer = f"fping ({sweep['fping_answered']:.0f} answered)"
    yield Figure(what, sweep["seconds"], "s", peer, sweep["fping_seconds"])
    watch, peers = _inside(lab, "watch", folder), _inside(lab, "blackbox", folder)
    name = "blackbox_exporter"
    rate, most = TARGETS / sweep["seconds"], peers["checks_per_second"]
    yield Figure("ping checks at full speed", rate, "1/s", name, most, more_is_better=True)
    what = f"processor time of a check in the watch ({watch['targets']:.0f} targets at 15 s)"
    yield Figure(what, watch["busy_per_check"] * 1e6, "us", name, peers["busy_per_check"] * 1e6)
    yield Figure(
        f"one core used by the watch at {watch['checks_per_second']:.0f} checks/s", watch["busy_ratio"], "ratio"
    )
    memory, more = watch["memory_bytes"] / MEBIBYTE, peers["memory_bytes"] / MEBIBYTE
    yield Figure("memory of the watch, province included", memory, "MiB", name, more)


def _inside(lab: Lab, what: str, folder: Path) -> dict[str, float]:
    command = enter_command(lab, [sys.executable, "-m", "benchmarks.inside", what, str(folder)])
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=300)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures
