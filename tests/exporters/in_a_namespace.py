"""Ping from a network of its own: run by the tests under `unshare --net`, prints one JSON object a question.

Addresses: 10.9.0.1 lies behind a blackhole, 10.8.0.1 behind an unreachable route, 10.7.0.2 swallows everything,
10.91.0.0/16 answers, 11.0.0.1 has no route.
"""

import asyncio
import json
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from exporters.probes import ask, icmp
from exporters.reading import Reading, Target
from inventory.model import Module
from inventory.modules import OPTIONS

USUAL = icmp.BURST, icmp.PAUSE
NETWORK = """link set lo up
route add local 10.91.0.0/16 dev lo
link add near type veth peer name far
link set near up
link set far up
address add 10.7.0.1/24 dev near
neighbour add 10.7.0.2 lladdr 02:00:00:00:00:02 dev near
route add blackhole 10.9.0.0/24
route add unreachable 10.8.0.0/24
"""


async def ping(address: str, patience: float = 5.0, **options: Any) -> Reading:
    module = Module("icmp", "icmp", timeout=patience)
    return await ask("device", Target(address), module, OPTIONS["icmp"].model_validate(options))


async def cancelled(_address: str) -> list[Reading]:
    """Give up twenty questions, half of them already answered, and go on asking."""
    asking = [asyncio.ensure_future(ping(f"10.91.1.{last}", wait=1)) for last in range(1, 21)]
    asking += [asyncio.ensure_future(ping("10.7.0.2", wait=1)) for _turn in range(20)]
    await asyncio.sleep(0.0005)
    for task in asking[::2]:
        task.cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError | Reading) for answer in answers), answers
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[20::2])
    return [*[answer for answer in answers[1:20:2] if isinstance(answer, Reading)], await ping("10.91.0.1")]


async def fleet(_address: str) -> list[Reading]:
    """Ask ten thousand at once."""
    return await asyncio.gather(*[ping(f"10.91.{n >> 8}.{n & 255}") for n in range(1, 10001)])


async def paced(_address: str) -> list[Reading]:
    """Ask fifty at once where ten may leave in a tenth of a second."""
    icmp.BURST, icmp.PAUSE = 10, 0.1
    try:
        return await asyncio.gather(*[ping(f"10.91.2.{last}") for last in range(50)])
    finally:
        icmp.BURST, icmp.PAUSE = USUAL


async def main() -> None:
    found: list[Any] = []
    for question in json.loads(sys.argv[1]):
        do = {"cancelled": cancelled, "fleet": fleet, "paced": paced}.get(question["address"])
        answers = await do("") if do else [await ping(**question)]
        found.append([asdict(answer) for answer in answers])
    print(json.dumps(found))


if __name__ == "__main__":
    subprocess.run(["ip", "-batch", "-"], input=NETWORK, text=True, check=True, timeout=10)
    asyncio.run(main())
