"""What is measured inside the lab, where 10,000 addresses answer: `python -m benchmarks.inside WHAT PROVINCE`.

Prints one JSON object of plain figures; `benchmarks.fleet` puts them beside each other.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from exporters.questions import Knowledge, Question, questions
from exporters.round import ask_round
from exporters.watch import Watch
from inventory.load import load

TARGETS = 10_000
STEADY = 45.0  # seconds of the watch at its interval of 15 s
BLACKBOX = "127.0.0.1:9115"
DRIVERS = 100  # requests to blackbox_exporter at a time


def chosen(folder: str) -> list[Question]:
    """Return one ping for each of 10,000 devices."""
    province = load(Path(folder))
    return list(questions(province, list(province.devices.values())[:TARGETS], Knowledge()))


def sweep(folder: str) -> dict[str, float]:
    """Ping everything once, by us and by fping."""
    asked = chosen(folder)
    start, before = time.perf_counter(), time.process_time()
    answered = asyncio.run(_sweep(asked))
    ours, busy = time.perf_counter() - start, time.process_time() - before
    addresses = "\n".join(question.target.address for question in asked).encode()
    start = time.perf_counter()
    fping = ["fping", "-q", "-i", "0", "-t", "3000"]
    done = subprocess.run([*fping, "-c", "1"], input=addresses, capture_output=True, check=False, timeout=120)
    peers = time.perf_counter() - start
    alive = done.stderr.count(b"min/avg/max")
    return {"answered": answered, "seconds": ours, "busy": busy, "fping_answered": alive, "fping_seconds": peers}


async def _sweep(asked: list[Question]) -> int:
    return len({key async for key, reading in ask_round(asked, at_once=TARGETS) if reading.success})


def watch(folder: str) -> dict[str, float]:
    """Let the watch run at its interval; count checks, processor seconds and memory."""
    return asyncio.run(_watch(folder))


async def _watch(folder: str) -> dict[str, float]:
    province = load(Path(folder))
    watching = Watch(province, Knowledge())
    task = asyncio.create_task(watching.run())
    await asyncio.sleep(16)  # the first interval spreads the questions
    counted, before, start = _checks(watching), time.process_time(), time.perf_counter()
    await asyncio.sleep(STEADY)
    checks = _checks(watching) - counted
    busy, seconds = time.process_time() - before, time.perf_counter() - start
    task.cancel()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "targets": len(watching.asked),
        "checks_per_second": checks / seconds,
        "busy_ratio": busy / seconds,
        "busy_per_check": busy / checks,
        "memory_bytes": memory,
    }


def _checks(watching: Watch) -> int:
    return sum(tally.asked for tally in watching.tallies.values())


def blackbox(folder: str) -> dict[str, float]:
    """Have blackbox_exporter ping the same targets, driven through its /probe as Prometheus would."""
    asked = chosen(folder)
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as config:
        config.write("modules: {icmp: {prober: icmp, timeout: 3s, icmp: {preferred_ip_protocol: ip4}}}\n")
        config.flush()
        options = [f"--config.file={config.name}", f"--web.listen-address={BLACKBOX}", "--log.level=error"]
        exporter = subprocess.Popen(["prometheus-blackbox-exporter", *options], stderr=subprocess.DEVNULL)
        try:
            return asyncio.run(_drive(exporter.pid, [question.target.address for question in asked]))
        finally:
            exporter.terminate()
            exporter.wait(10)


async def _drive(pid: int, addresses: list[str]) -> dict[str, float]:
    from benchmarks.processes import busy, most_memory  # not above: it brings the lab, which our own memory is not for

    host, port = BLACKBOX.split(":")
    for _turn in range(100):
        try:
            _reader, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            break
    before, start = busy(pid), time.perf_counter()
    waiting = list(addresses)
    good = sum(await asyncio.gather(*(_requests(host, int(port), waiting) for _turn in range(DRIVERS))))
    seconds, used = time.perf_counter() - start, busy(pid) - before
    return {
        "answered": good,
        "checks_per_second": len(addresses) / seconds,
        "busy_per_check": used / len(addresses),
        "memory_bytes": most_memory(pid),
    }


async def _requests(host: str, port: int, waiting: list[str]) -> int:
    """Ask for probes over one connection that is kept, until none is waiting."""
    reader, writer = await asyncio.open_connection(host, port)
    good = 0
    while waiting:
        path = f"/probe?module=icmp&target={waiting.pop()}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        good += b"\nprobe_success 1\n" in await reader.readexactly(length)
    writer.close()
    return good


if __name__ == "__main__":
    measures = {"sweep": sweep, "watch": watch, "blackbox": blackbox}
    print(json.dumps(measures[sys.argv[1]](sys.argv[2])))
