"""From what is seen at each moment to intervals: confirmed, damped, each with one grade. Pure.

An outage is opened once its node has been out for a while, from the moment at which it began; it is over once the node
has been up for a while, at the moment at which it came up. What changes its grade ends it, and begins another one at
the same moment. What is unknown changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from exporters.outages.node import Cause, Fault, Grade, Node
from exporters.outages.rules import Rules


@dataclass(frozen=True, slots=True)
class Open:
    """An outage that lasts, as it was written down. Times are Unix seconds.

    `root` is the id of the outage that it follows from; `said`: a person told the cause, which stays.
    """

    id: str
    node: Node
    began: float
    fault: Fault
    root: str | None = None
    said: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What a node is seen as: `fault` None is up. `since` this grade, `blamed` this cause and root.

    `left`: since when it is not what its open outage says any more, whatever it is instead; None while it is.
    """

    fault: Fault | None
    since: float
    blamed: float
    left: float | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What is carried from one moment to the next: only of nodes that are out or were lately."""

    open: Mapping[Node, Open] = field(default_factory=dict)
    turns: Mapping[Node, Turn] = field(default_factory=dict)
    begins: Mapping[Node, tuple[float, ...]] = field(default_factory=dict)  # of late, to tell what flaps
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Begin:
    """An outage is to be opened; its root, if it has one, stands before it."""

    outage: Open


@dataclass(frozen=True, slots=True)
class Blame:
    """An open outage is seen in another light."""

    outage: Open


@dataclass(frozen=True, slots=True)
class End:
    """An outage is over."""

    outage: Open
    ended: float


Step = Begin | Blame | End


def step(
    memory: Memory,
    faults: Mapping[Node, Fault],
    is_up: Callable[[Node], bool],
    at: float,
    rules: Rules,
    new_id: Callable[[float], str],
) -> tuple[Memory, tuple[Step, ...]]:
    """Return what is remembered from `at` on, and what is to be written down, in order.

    `faults` holds everything that is out; of the rest `is_up` tells what is up, and what is neither is unknown.
    A clock that was set back stands still until it is where it was.
    """
    at = max(at, memory.at)
    turns = dict(_turns(memory, faults, is_up, at))
    begins = _recent(memory.begins, at - rules.flap_window)
    course = _Course(dict(memory.open), turns, begins, at, rules, new_id)
    steps = tuple(course.steps())
    kept = {node: turn for node, turn in turns.items() if turn.fault is not None or node in course.open}
    return Memory(course.open, kept, begins, at), steps


def _recent(begins: Mapping[Node, tuple[float, ...]], since: float) -> dict[Node, tuple[float, ...]]:
    kept = {node: tuple(moment for moment in moments if moment >= since) for node, moments in begins.items()}
    return {node: moments for node, moments in kept.items() if moments}


def _turns(
    memory: Memory, faults: Mapping[Node, Fault], is_up: Callable[[Node], bool], at: float
) -> Iterator[tuple[Node, Turn]]:
    for node in {**dict.fromkeys(memory.open), **dict.fromkeys(memory.turns), **dict.fromkeys(faults)}:
        fault, before = faults.get(node), memory.turns.get(node)
        if fault is not None or is_up(node):
            yield node, _turn(before, fault, memory.open.get(node), at)
        elif before is not None and node in memory.open:
            yield node, before  # unknown: as it was


def _turn(before: Turn | None, fault: Fault | None, outage: Open | None, at: float) -> Turn:
    grade, was = _grade(fault), _grade(before.fault) if before else None
    since = before.since if before and was is grade else at
    blamed = before.blamed if before and was is grade and _blame(before.fault) == _blame(fault) else at
    if outage is None or outage.fault.grade is grade:
        return Turn(fault, since, blamed)
    was_away = before is not None and was is not outage.fault.grade
    left = before.left if before and was_away and before.left is not None else at
    return Turn(fault, since, blamed, left)


def _flapping(fault: Fault, flaps: int | None) -> Fault:
    """Return a fault whose evidence tells how often the node went out of late, if that is often."""
    return replace(fault, evidence={**fault.evidence, "flaps": flaps}) if flaps else fault


def _grade(fault: Fault | None) -> Grade | None:
    return fault.grade if fault else None


def _blame(fault: Fault | None) -> tuple[object, ...]:
    return (fault.cause, fault.root) if fault else ()


@dataclass
class _Course:
    """One step under way."""

    open: dict[Node, Open]
    turns: Mapping[Node, Turn]
    begins: dict[Node, tuple[float, ...]]
    at: float
    rules: Rules
    new_id: Callable[[float], str]
    turned: set[Node] = field(default_factory=set)  # one trouble that got better or worse: that is no flapping

    def steps(self) -> Iterator[Step]:
        before = dict(self.open)
        for node, turn in self.turns.items():
            outage = before.get(node)
            if outage is None:
                if turn.fault and self.at - turn.since >= self.rules.confirm:
                    yield from self._begin(node, turn.fault, turn.since)
            elif turn.fault is None:
                if self.at - turn.since >= self._patience(node):
                    yield from self._end(outage, turn.since if turn.left is None else turn.left)
            elif self.at - turn.since >= self.rules.confirm and turn.fault.grade is not outage.fault.grade:
                yield from self._turn_into(outage, turn.fault, turn.left or turn.since, turn.since)
            elif self.at - turn.blamed >= self.rules.confirm:
                yield from self._reconsider(outage, turn.fault, turn.blamed)
        yield from self._follow()

    def _patience(self, node: Node) -> float:
        flaps = len(self.begins.get(node, ())) >= self.rules.flaps
        return self.rules.flap_recover if flaps else self.rules.recover

    def _begin(self, node: Node, fault: Fault, since: float) -> Iterator[Step]:
        yield from self._begin_root(node, fault)
        yield from self._open(node, fault, since)

    def _begin_root(self, node: Node, fault: Fault) -> Iterator[Step]:
        """Open the outage that another one follows from, without that its trouble be confirmed again."""
        root = self.turns.get(fault.root) if fault.root else None
        if root and root.fault and fault.root and fault.root != node:
            yield from self._open(fault.root, root.fault, root.since)

    def _open(self, node: Node, fault: Fault, since: float) -> Iterator[Step]:
        if node not in self.open:
            begins = self.begins.get(node, ())
            if node not in self.turned:
                begins = self.begins[node] = (*begins, since)
            fault = _flapping(fault, len(begins) if len(begins) >= self.rules.flaps else None)
            outage = Open(self.new_id(since), node, since, fault, self._root(node, fault, None))
            self.open[node] = outage
            yield Begin(outage)

    def _root(self, node: Node, fault: Fault, known: str | None) -> str | None:
        found = self.open.get(fault.root) if fault.root and fault.root != node else None
        return found.id if found else known

    def _follow(self) -> Iterator[Step]:
        """Point what follows from an outage that was opened just now, in place of an earlier one, to the new one.

        What has come up, or is only waiting for its end, stays what it was: behind the outage that is over.
        """
        for node, outage in list(self.open.items()):
            turn = self.turns.get(node)
            if turn is not None and turn.left is not None:
                continue
            root = self._root(node, outage.fault, outage.root)
            if root != outage.root:
                self.open[node] = replace(outage, root=root)
                yield Blame(self.open[node])

    def _end(self, outage: Open, ended: float) -> Iterator[Step]:
        del self.open[outage.node]
        yield End(outage, max(ended, outage.began))

    def _turn_into(self, outage: Open, fault: Fault, left: float, since: float) -> Iterator[Step]:
        self.turned.add(outage.node)
        yield from self._end(outage, left)
        yield from self._begin(outage.node, fault, max(since, outage.began))

    def _reconsider(self, outage: Open, fault: Fault, since: float) -> Iterator[Step]:
        """See an outage in another light, or end it where its own trouble follows upon that of its way."""
        known = outage.fault
        if _blame(known) == _blame(fault) and known.state is fault.state:
            return
        if known.cause is Cause.UPSTREAM and fault.cause is not Cause.UPSTREAM:
            yield from self._turn_into(outage, fault, since, since)
            return
        if self._keeps_its_own(outage, fault):
            return
        yield from self._begin_root(outage.node, fault)
        known_root = outage.root if fault.cause is Cause.UPSTREAM else None
        root = self._root(outage.node, fault, known_root)
        self.open[outage.node] = replace(outage, fault=_flapping(fault, known.evidence.get("flaps")), root=root)
        yield Blame(self.open[outage.node])

    def _keeps_its_own(self, outage: Open, fault: Fault) -> bool:
        """Whether an outage keeps its cause: a person said so, what told of power is silent, or it was out before."""
        if outage.said:
            return True
        if outage.fault.cause is Cause.POWER and fault.cause is not Cause.UPSTREAM:
            return True
        if fault.cause is not Cause.UPSTREAM or outage.fault.cause is Cause.UPSTREAM:
            return False
        root = self.turns.get(fault.root) if fault.root else None
        return root is not None and outage.began < root.since - self.rules.together
