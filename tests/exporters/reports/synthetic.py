"""A month of events as a watch would write them, through the real ledger: cuts, power, machines, planned work."""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from inventory.model import Province
from ledger.connection import Ledger, open_ledger
from ledger.leases import acquire
from ledger.outages import WATCH, Change, Closed, Opened, note, record
from ledger.records import Actor
from ledger.watching import begin_span, extend_span

WATCHER = Actor("watch", "watch")
LAN = Actor("lan", "lan.nguyen")


def write_events(file: Path, province: Province, begin: datetime, days: int, roots: int, seed: int) -> None:
    """Fill a ledger with `roots` root outages and what follows from them, and with a watch that was not always on."""
    chance = random.Random(seed)
    with open_ledger(file) as ledger:
        token = acquire(ledger, WATCH, actor=WATCHER, seconds=3600).token
        _write_spans(ledger, begin, days, chance, token)
        for batch in _batches(_events(province, begin, days, roots, chance)):
            record(ledger, batch, token=token)
        for number in chance.sample(range(roots), roots // 50):
            cause = chance.choice(("power", "maintenance", "link"))
            note(ledger, f"{number:06}", "người trực ghi", actor=LAN, cause=cause)


def _write_spans(ledger: Ledger, begin: datetime, days: int, chance: random.Random, token: int) -> None:
    moment, end = begin - timedelta(hours=5), begin + timedelta(days=days, hours=3)
    while moment < end:
        until = moment + timedelta(seconds=chance.uniform(3600, 12 * 86_400))
        extend_span(ledger, begin_span(ledger, moment, token=token), min(until, end), token=token)
        moment = until + timedelta(seconds=chance.choice((3.25, 40, 7200.5)))


def _batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    batch: list[Change] = []
    for change in changes:
        batch.append(change)
        if len(batch) >= 2000:
            yield batch
            batch = []
    yield batch


def _events(province: Province, begin: datetime, days: int, roots: int, chance: random.Random) -> Iterator[Change]:
    """Yield outages that do not overlap at any node, as the ledger has one open outage of a node at most."""
    free: dict[tuple[str, str], datetime] = {}
    offices = list(province.offices.values())
    districts: dict[str, list[str]] = {}
    for office in offices:
        districts.setdefault(office.district, []).append(office.id)
    for number in range(roots):
        office = chance.choice(offices)
        moment = begin + timedelta(seconds=chance.uniform(-7200, days * 86_400 - 1))
        end = moment + timedelta(seconds=chance.choice((chance.uniform(30, 3600), chance.uniform(30, 86_400))))
        state, cause = chance.choice(
            (("down", "link"), ("down", "power"), ("degraded", "device"), ("maintenance", "maintenance"))
        )
        root = f"{number:06}"
        yield from _one(free, root, ("office", office.id), (moment, end), state, cause, None)
        if state == "down" and chance.random() < 0.2:
            for other in chance.sample(districts[office.district], min(5, len(districts[office.district]))):
                if other != office.id:
                    node = ("office", other)
                    yield from _one(free, f"{root}-{other}", node, (moment, end), "unreachable", "upstream", root)
    last = begin + timedelta(days=days, minutes=-5)
    for number in range(20):
        node = ("office", offices[number].id)
        if free.get(node, begin) < last:
            yield Opened(f"open-{number}", *node, last, "down", "device", None, {})


def _one(
    free: dict[tuple[str, str], datetime],
    name: str,
    node: tuple[str, str],
    between: tuple[datetime, datetime],
    state: str,
    cause: str,
    root: str | None,
) -> Iterator[Change]:
    """Yield an outage that begins once the earlier ones of its node are over."""
    began = max(between[0], free.get(node, datetime.min.replace(tzinfo=UTC)))
    ended = max(between[1], began + timedelta(seconds=1))
    free[node] = ended
    yield Opened(name, *node, began, state, cause, root, {"why": "no answer"})
    yield Closed(name, ended)
