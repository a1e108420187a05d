"""Ping: one socket for the whole fleet, requests let out at an even pace."""

import asyncio
import socket
import time
from collections.abc import MutableMapping
from typing import TypeAlias
from weakref import WeakKeyDictionary

from gufo.ping import Ping, SelectionPolicy

from exporters.probes.failure import ProbeError, awaiting, explain
from exporters.reading import Metric, Outcome, Target, metric
from inventory.language import N_, _
from inventory.modules import IcmpOptions

BURST, PAUSE = 100, 0.005  # packets, then seconds: 20,000 a second, and never more than a socket buffer holds
APART = 0.1  # seconds between the requests of one probe
LONGEST = 10.0  # seconds after which a request is forgotten; the probe gives up earlier
SILENT = N_("no answer to ping: the device is off or unreachable, or drops ping")
FORBIDDEN = N_(
    "this machine may not send ping: run as root, or grant it "
    "(setcap cap_net_raw+ep PYTHON, or sysctl net.ipv4.ping_group_range='0 2147483647')"
)
Trip: TypeAlias = asyncio.Task[float | None]


class _Pinger:
    """The one `Ping` of an event loop, behind a gate that lets `BURST` packets out every `PAUSE` seconds."""

    def __init__(self) -> None:
        self.ping = Ping(policy=SelectionPolicy.RAW_DGRAM, timeout=LONGEST, recv_buffer_size=4 << 20)
        self.open: set[Trip] = set()
        self.slot = 0.0  # the moment of the last packet that was let out

    async def turn(self) -> None:
        """Wait for this packet's turn."""
        now = time.perf_counter()
        self.slot = max(self.slot + PAUSE / BURST, now - PAUSE)
        if self.slot > now:
            await asyncio.sleep(self.slot - now)

    def send(self, address: str, size: int) -> Trip:
        """Return the task of one request. It must not be cancelled: it forgets itself.

        The library sets the result of an abandoned request when it expires; a cancelled future would make it
        stumble there and lose the other answers of the same read.
        """
        trip = asyncio.ensure_future(self.ping.ping(address, size))
        self.open.add(trip)
        trip.add_done_callback(self.open.discard)
        return trip


_pingers: MutableMapping[asyncio.AbstractEventLoop, _Pinger] = WeakKeyDictionary()


async def probe(target: Target, options: IcmpOptions) -> Outcome:
    """Send `options.count` echo requests, wait `options.wait` seconds for what comes back."""
    loop = asyncio.get_running_loop()
    pinger = _pingers.get(loop) or _pingers.setdefault(loop, _Pinger())
    trips: set[Trip] = set()
    for turn in range(options.count):
        await asyncio.sleep(APART if turn else 0)
        await pinger.turn()
        trips.add(pinger.send(target.address, options.size))
    with awaiting(0, _(SILENT)):
        done, _late = await asyncio.wait(trips, timeout=options.wait)
    seconds = [trip for trip in map(_answer, done) if trip is not None]
    if not seconds:
        silent = ProbeError(_(SILENT), metrics=_metrics([], options.count), heard=False)
        raise _unsent(target.address) if done else silent
    return _alive(seconds, options.count)


def _answer(trip: Trip) -> float | None:
    try:
        return trip.result()
    except PermissionError as error:
        raise ProbeError(_(FORBIDDEN), asked=False) from error


def _unsent(address: str) -> ProbeError:
    """Ask the kernel for the route, without a packet, to learn why nothing could be sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as route:
        try:
            route.connect((address, 9))
        except OSError as error:
            return explain(error, 0)
    return ProbeError(_(SILENT), heard=False)


def _alive(trips: list[float], count: int) -> Outcome:
    lost = count - len(trips)
    reason = _("answers ping in {milliseconds:.1f} ms").format(milliseconds=1000 * min(trips))
    if lost:
        said = _("answers ping, but {lost} of {count} packets are lost: look at the link")
        reason = said.format(lost=lost, count=count)
    return Outcome(True, reason, degraded=lost > 0, metrics=_metrics(trips, count))


def _metrics(trips: list[float], count: int) -> tuple[Metric, ...]:
    loss = metric("tuyen_probe_icmp_loss_ratio", 1 - len(trips) / count)
    if not trips:
        return (loss,)
    return metric("probe_icmp_duration_seconds", sum(trips) / len(trips), phase="rtt"), loss
