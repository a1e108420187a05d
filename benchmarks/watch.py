"""10,000 targets at 30 s: `tuyen watch` with its ledger beside blackbox_exporter and Prometheus, at the same time.

Both ping the same addresses of one lab. The watch also tells states by the topology and keeps outages and days in the
ledger; Prometheus also keeps every sample. What each costs the processor is counted over the same minutes.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.figure import Figure
from benchmarks.large import DEVICES_OF_AN_OFFICE, write_province
from inventory.export.prometheus import write_prometheus
from inventory.load import load
from lab.practice import enter_command, up
from lab.running import Lab

TARGETS, EVERY = 10_000, 30
MINUTES = float(os.environ.get("TUYEN_BENCH_MINUTES", "5"))  # the watch writes its days every five
SCRAPED_MINUTES = 2
MEBIBYTE = 2**20
WATCH, PROMETHEUS, BLACKBOX = "127.0.0.1:9733", "127.0.0.1:9090", "127.0.0.1:9115"
PEERS = "blackbox_exporter + Prometheus"
_NO_SECRET = "".join(f"  {name}: {{probe: icmp}}\n" for name in ("snmp", "interfaces", "ups"))  # nothing asks these
_ICMP = f"modules:\n  icmp: {{probe: icmp, interval: {EVERY} s, timeout: 3 s, with: {{wait: 2}}}}\n{_NO_SECRET}"
_MODULES = "modules: {icmp: {prober: icmp, timeout: 3s, icmp: {preferred_ip_protocol: ip4}}}\n"
_PROMETHEUS = f"""\
global: {{scrape_interval: {EVERY}s, scrape_timeout: 5s}}
scrape_configs:
  - job_name: probe
    metrics_path: /probe
    file_sd_configs: [{{files: [targets.json]}}]
    relabel_configs:
      - {{target_label: __address__, replacement: "{BLACKBOX}"}}
"""


@dataclass(frozen=True)
class _Cost:
    """What was used since the start: processor seconds, and checks made."""

    busy: float
    checks: float


def measure() -> Iterator[Figure]:
    """Yield the figures, all of them taken in one lab."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "province")
        write_province(folder, TARGETS // DEVICES_OF_AN_OFFICE + 1)
        with (folder / "province.yaml").open("a") as file:
            file.write(_ICMP)
        province = load(folder)
        lab = up(province, Path(name, "lab"), secrets={}, die_with_parent=True)
        try:
            (folder / "targets.json").write_text(write_prometheus(province, list(province.devices.values())))
            yield from _figures(lab, folder)
        finally:
            lab.down()


def _figures(lab: Lab, folder: Path) -> Iterator[Figure]:
    with contextlib.ExitStack() as ends:
        watch = ends.enter_context(_watch(lab, folder))
        peers = [ends.enter_context(one) for one in _peers(lab, folder)]
        _wait(lambda: _round_done(lab), 120)
        _wait(lambda: _query(lab, "count(probe_success == 1)") >= TARGETS, 120)
        time.sleep(EVERY)
        pids = processes.inner(watch), [processes.inner(peer) for peer in peers]
        yield from _alone(lab, *pids)
        yield from _scraped(lab, pids[0])
        yield from _memory(*pids)


def _alone(lab: Lab, watch: int, peers: list[int]) -> Iterator[Figure]:
    """Yield what a check costs the processor where nobody asks the watch for its metrics."""
    before, start = (_ours(lab, watch), _theirs(lab, peers)), time.monotonic()
    time.sleep(60 * MINUTES)
    after, seconds = (_ours(lab, watch), _theirs(lab, peers)), time.monotonic() - start
    (ours, checks), (theirs, scrapes) = (
        (b.busy - a.busy, b.checks - a.checks) for a, b in zip(before, after, strict=True)
    )
    what = f"one core used, {checks / seconds:.0f} pings/s, outages kept (the others: {scrapes / seconds:.0f}/s)"
    yield Figure(what, 100 * ours / seconds, "%", PEERS, 100 * theirs / seconds)
    yield Figure("processor time of a check", 1e6 * ours / checks, "us", PEERS, 1e6 * theirs / scrapes)


def _scraped(lab: Lab, watch: int) -> Iterator[Figure]:
    """Yield what it costs the watch when Prometheus also reads its metrics."""
    before, start = processes.busy(watch), time.monotonic()
    for turn in range(1, int(SCRAPED_MINUTES * 60 / EVERY) + 1):
        _get(lab, f"http://{WATCH}/metrics", "--compressed")
        time.sleep(max(0.0, start + turn * EVERY - time.monotonic()))
    used = (processes.busy(watch) - before) / (time.monotonic() - start)
    yield Figure(f"one core used by the watch, its metrics read every {EVERY} s", 100 * used, "%")


def _memory(watch: int, peers: list[int]) -> Iterator[Figure]:
    for what, read in (("memory (PSS)", processes.memory), ("most memory (RSS)", processes.most_memory)):
        theirs = [read(pid) / MEBIBYTE for pid in peers]
        parts = " + ".join(f"{one:.0f}" for one in theirs)
        yield Figure(f"{what} of the watch, province included", read(watch) / MEBIBYTE, "MiB", PEERS, sum(theirs))
        print(f"  ({PEERS}: {parts} MiB)", flush=True)


def _watch(lab: Lab, folder: Path) -> Any:
    words = [sys.executable, "-m", "cli", "--province", str(folder), "watch", "--listen", WATCH]
    return processes.running(lab, words, folder / "watch.log")


def _peers(lab: Lab, folder: Path) -> Iterator[Any]:
    (folder / "blackbox.yml").write_text(_MODULES)
    (folder / "prometheus.yml").write_text(_PROMETHEUS)
    options = [f"--config.file={folder}/blackbox.yml", f"--web.listen-address={BLACKBOX}", "--log.level=error"]
    yield processes.running(lab, ["prometheus-blackbox-exporter", *options], folder / "blackbox.log")
    options = [f"--config.file={folder}/prometheus.yml", f"--web.listen-address={PROMETHEUS}", "--log.level=warn"]
    data = f"--storage.tsdb.path={folder}/data"
    yield processes.running(lab, ["prometheus", *options, data], folder / "prometheus.log")


def _ours(lab: Lab, watch: int) -> _Cost:
    lines = _get(lab, f"http://{WATCH}/metrics").splitlines()
    used = processes.busy(watch)
    return _Cost(used, sum(float(line.split()[-1]) for line in lines if line.startswith("tuyen_probes_total{")))


def _theirs(lab: Lab, peers: list[int]) -> _Cost:
    checks = _query(lab, "sum(count_over_time(probe_success[1h]))")
    return _Cost(sum(map(processes.busy, peers)), checks)


def _round_done(lab: Lab) -> bool:
    health = json.loads(_get(lab, f"http://{WATCH}/healthz") or '{"answered": 0, "questions": 1}')
    return bool(health["answered"] == health["questions"])


def _query(lab: Lab, what: str) -> float:
    found = json.loads(_get(lab, f"http://{PROMETHEUS}/api/v1/query", "--data-urlencode", f"query={what}") or "{}")
    result = found.get("data", {}).get("result", [])
    return float(result[0]["value"][1]) if result else 0.0


def _get(lab: Lab, url: str, *options: str) -> str:
    words = ["curl", "--silent", "--fail", "--max-time", "20", *options, url]
    done = subprocess.run(enter_command(lab, words), capture_output=True, timeout=30, check=False)
    return done.stdout.decode()


def _wait(what: Callable[[], bool], seconds: float) -> None:
    start = time.monotonic()
    while not what():
        if time.monotonic() - start > seconds:
            raise SystemExit(f"the lab did not settle within {seconds:g} s")
        time.sleep(1)
