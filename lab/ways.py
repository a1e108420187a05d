"""Which way every office reaches the province, given what is cut and what is impaired: pure functions.

A cut is the id of an office, a link or a device; an impairment belongs to a link.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from lab.scene import Place, Scene, Way


class Impairment(NamedTuple):
    """What a line does to packets on their way out: `loss` is a ratio, `delay` and `jitter` are seconds.

    A packet is held for `delay` plus up to `jitter` more. To and from real machines at most `rate` bit/s pass in
    each direction; 0 is no limit.
    """

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    rate: float = 0

    def then(self, other: "Impairment") -> "Impairment":
        """Return what two lines, one after the other, do together."""
        loss = 1 - (1 - self.loss) * (1 - other.loss)
        slowest = min((rate for rate in (self.rate, other.rate) if rate), default=0)
        return Impairment(loss, self.delay + other.delay, self.jitter + other.jitter, slowest)


PERFECT = Impairment()


def ways_in_use(places: Iterable[Place], cuts: Collection[str]) -> dict[str, Way | None]:
    """Return the way that every office which can be reached takes; None for a root; silent offices are absent.

    An office takes its first way that works. Offices are settled from the root outwards, and a backup is
    taken only when no first way settles any further office: so two offices never reach the network through
    each other.
    """
    alive = [place for place in places if place.id not in cuts]
    settled: dict[str, Way | None] = {place.id: None for place in alive if not place.ways}
    waiting = [place for place in alive if place.ways]
    while found := _settle(waiting, settled, cuts):
        settled.update(found)
        waiting = [place for place in waiting if place.id not in found]
    return settled


def _settle(waiting: list[Place], settled: Mapping[str, Way | None], cuts: Collection[str]) -> dict[str, Way]:
    """Return the offices that are one step from the `settled` ones by the lowest-ranked ways that lead on."""
    deepest = max((len(place.ways) for place in waiting), default=0)
    for rank in range(deepest):
        found = {
            place.id: place.ways[rank]
            for place in waiting
            if rank < len(place.ways) and place.ways[rank].link not in cuts and place.ways[rank].parent in settled
        }
        if found:
            return found
    return {}


def answering(scene: Scene, cuts: Collection[str]) -> frozenset[str]:
    """Return the addresses that answer while `cuts` hold."""
    reached = ways_in_use(scene.places, cuts)
    return frozenset(host.address for host in scene.hosts if host.office in reached and host.id not in cuts)


def effects(
    places: Iterable[Place], cuts: Collection[str], impairments: Mapping[str, Impairment]
) -> dict[str, Impairment]:
    """Return, by its prefix, what the lines do to each office whose way crosses an impaired link."""
    if not impairments:
        return {}
    reached = ways_in_use(places, cuts)
    total: dict[str, Impairment] = {}
    for office, way in reached.items():  # in the order of settling: the parent is always there
        before = total[way.parent] if way else PERFECT
        total[office] = before.then(impairments.get(way.link, PERFECT)) if way else PERFECT
    return {
        place.prefix: total[place.id] for place in places if place.prefix and total.get(place.id, PERFECT) != PERFECT
    }


def rates(scene: Scene, found: Mapping[str, Impairment]) -> dict[str, float]:
    """Return the bit/s that each real machine has, by its address, where `found` (of `effects`) limits them."""
    prefixes = {place.id: place.prefix for place in scene.places}
    real = {machine.id for machine in scene.machines}
    limits = {host.address: found.get(prefixes[host.office], PERFECT).rate for host in scene.hosts if host.id in real}
    return {address: rate for address, rate in limits.items() if rate}
