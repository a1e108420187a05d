"""20,000 nodes told anew: states by the topology, the causes of what is out, and the steps that follow for the ledger.

What happens every second in a watch: one reading, a district whose line is cut, all readings at once. Nothing is asked.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks.figure import Figure
from benchmarks.large import DEVICES_OF_AN_OFFICE, OFFICES_OF_A_DISTRICT, write_province
from exporters.health import Health, judge
from exporters.judging import Judging
from exporters.outages.blame import Blame
from exporters.outages.course import Memory, step
from exporters.outages.node import Fault, Node
from exporters.outages.rules import RULES
from exporters.outages.standing import Standing
from exporters.questions import Key
from exporters.reading import Reading
from inventory.load import load
from inventory.model import Province
from inventory.topology import State

NODES = 20_000
TURNS = 20
LONG = 60.0  # seconds, after which anything is believed
HUB = "c150"  # an office of the third district, through which its others reach the province


@dataclass
class _World:
    """A province whose devices answer, but for those that are silent; told by readings, as a watch is."""

    province: Province
    silent: set[str] = field(default_factory=set)
    memory: Memory = field(default_factory=Memory)
    at: float = 1e9

    def __post_init__(self) -> None:
        self.judging = Judging(self.province)
        self.devices = [device.id for device in self.province.devices.values() if device.address]
        self.ids = count()

    def reading(self, device: str) -> Reading:
        """Return what a ping of the device gives."""
        answers = device not in self.silent
        return Reading(device, "icmp", answers, False, "answers ping" if answers else "no answer", 0.01, self.at)

    def health(self, touched: Set[str]) -> Health:
        """Tell the states where these devices were asked."""
        for device in touched:
            self.judging.touch(device)
        return self.judging.health(lambda device: [(_key(device), self.reading(device))], self.silent)

    def look(self, touched: Set[str]) -> int:
        """Tell states, causes and steps, as a watch does every second; return how many nodes are out."""
        self.at += 1
        health = self.health(touched)
        standing = Standing(self.province, health, self.province.devices.keys(), {})
        faults = Blame(standing, {}, {}, self._fell, RULES).faults()
        self.memory, _steps = step(self.memory, faults, _is_up(standing, faults), self.at, RULES, self._new_id)
        return len(faults)

    def _fell(self, node: Node) -> float:
        turn = self.memory.turns.get(node)
        return turn.since if turn else self.at

    def _new_id(self, _at: float) -> str:
        return str(next(self.ids))


def _key(device: str) -> Key:
    return (device, "icmp", "", "")


def _is_up(standing: Standing, faults: dict[Node, Fault]) -> Callable[[Node], bool]:
    return lambda node: node not in faults and standing.state(node) is State.UP


def _with_hubs(province: Province) -> Province:
    """Let the offices of each district reach the province through the first of them."""
    offices = dict(province.offices)
    for office in province.offices.values():
        number = int(office.id[1:]) if office.uplink else 0
        hub = f"c{number - number % OFFICES_OF_A_DISTRICT}"
        if office.uplink and office.id != hub:
            offices[office.id] = replace(office, uplink=replace(office.uplink, parent=hub))
    return replace(province, offices=offices)


def measure() -> Iterator[Figure]:
    """Yield the figures; fails if the states differ from those that are told from nothing."""
    with tempfile.TemporaryDirectory() as name:
        write_province(Path(name), NODES // (DEVICES_OF_AN_OFFICE + 1) + 1)
        world = _World(_with_hubs(load(Path(name))))
    everything = set(world.devices)
    nodes = len(everything) + len(world.province.offices)
    anew = median(_seconds(lambda: _anew(world)))
    yield _figure(f"all of {nodes} nodes told at once, causes included", _seconds(lambda: world.look(everything)), anew)
    one = {world.devices[NODES // 2]}
    yield _figure(f"one reading told among {nodes} nodes, causes included", _seconds(lambda: world.look(one)), anew)
    yield from _cut(world, nodes, anew)


def _figure(what: str, told: list[float], anew: float) -> Figure:
    return Figure(what, 1e3 * median(told), "ms of processor", "states alone, told from nothing", 1e3 * anew)


def _anew(world: _World) -> Health:
    """Tell all states from nothing, as `tuyen check` does."""
    return judge(world.province, {_key(device): world.reading(device) for device in world.devices}, world.silent)


def _cut(world: _World, nodes: int, anew: float) -> Iterator[Figure]:
    """Cut the hub of a district and with it all its offices, and let them come back."""
    behind = [office.id for office in world.province.offices.values() if office.parent == HUB]
    out = {device.id for office in (HUB, *behind) for device in world.province.devices_of[office]}
    told = []
    for _turn in range(TURNS):
        for silent in (out, set()):
            world.silent = silent
            told += _seconds(lambda: world.look(out), 1)
            world.at += LONG
    world.silent = out
    world.look(out)
    _check(world, behind)
    what = f"a hub with {len(behind)} offices behind it cut or restored among {nodes} nodes, causes included"
    yield _figure(what, told, anew)
    yield _figure("a second of that outage with one reading", _seconds(lambda: world.look({world.devices[0]})), anew)


def _seconds(work: Callable[[], object], times: int = TURNS) -> list[float]:
    """Return what each of some turns took of the processor: others may use it, too."""
    told = []
    for _turn in range(times):
        start = time.process_time()
        work()
        told.append(time.process_time() - start)
    return told


def _check(world: _World, behind: list[str]) -> None:
    """Compare what was told piece by piece with what is told from nothing: one hub down, the rest behind it."""
    health, anew = world.health(set()), _anew(world)
    if (health.devices, health.offices) != (anew.devices, anew.offices):
        raise SystemExit("the states that were told piece by piece differ from those told at once")
    away = {office: state for office, state in health.offices.items() if state is not State.UP}
    if away != {HUB: State.DOWN, **dict.fromkeys(behind, State.UNREACHABLE)}:
        raise SystemExit(f"not one office down and those behind it unreachable: {away}")
