"""From moments to intervals: against an oracle that looks at every second, and by examples of each rule."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.outages.course import Begin, Blame, End, Memory, Open, Step, step
from exporters.outages.node import Cause, Fault, Grade, Kind, Node
from exporters.outages.rules import Rules
from inventory.topology import State

AT_ONCE = Rules(confirm=0, recover=0, flaps=10**9)
DAMPED = Rules(confirm=20, recover=30, flaps=10**9)
OFFICE, OTHER = Node(Kind.OFFICE, "an-bien"), Node(Kind.OFFICE, "dong-yen")
DOWN = Fault(State.DOWN, Cause.LINK)
BEHIND = Fault(State.UNREACHABLE, Cause.UPSTREAM, OFFICE)
WEAK = Fault(State.DEGRADED, Cause.DEVICE)
WORK = Fault(State.MAINTENANCE, Cause.MAINTENANCE)
POWER = Fault(State.DOWN, Cause.POWER)
Moment = dict[Node, Fault | None]  # None is up; what is not there is unknown
Span = tuple[Node, Grade, float, float]


class Run:
    """Plays moments, one a second, and keeps the intervals that come of them."""

    def __init__(self, rules: Rules, kills: Collection[int] = ()) -> None:
        self.rules, self.kills = rules, kills
        self.memory = Memory()
        self.intervals: list[Span] = []
        self.steps: list[Step] = []
        self.second = 0

    def play(self, moments: Iterable[Moment]) -> "Run":
        for moment in moments:
            if self.second in self.kills:  # what is left is what was written down
                self.memory = Memory(self.memory.open)
            self._look(moment)
            self.second += 1
        return self

    def _look(self, moment: Moment) -> None:
        faults = {node: fault for node, fault in moment.items() if fault is not None}
        self.memory, steps = step(
            self.memory,
            faults,
            lambda node: node in moment and moment[node] is None,
            self.second,
            self.rules,
            lambda at: f"{len(self.steps)}-{len(self.memory.open)}-{at}-{object()}",
        )
        for one in steps:
            self._check(one)
        self.steps += steps

    def _check(self, one: Step) -> None:
        if isinstance(one, End):
            assert one.ended >= one.outage.began
            self.intervals.append((one.outage.node, one.outage.fault.grade, one.outage.began, one.ended))

    def over(self) -> list[Span]:
        """Return all intervals, those that last up to now."""
        lasting = [(o.node, o.fault.grade, o.began, float(self.second)) for o in self.memory.open.values()]
        return [span for span in (*self.intervals, *lasting) if span[3] > span[2]]


def _seconds(spans: Sequence[Span], node: Node, grade: Grade) -> float:
    return sum(until - since for who, what, since, until in spans if who == node and what is grade)


def _check_intervals(spans: Sequence[Span]) -> None:
    for node in {span[0] for span in spans}:
        own = sorted(span[2:] for span in spans if span[0] == node)
        assert all(until <= later for (_since, until), (later, _until) in pairwise(own)), own


FAULTS = st.sampled_from([None, DOWN, BEHIND, WEAK, WORK, POWER, replace(DOWN, root=OTHER)])
MOMENTS = st.lists(
    st.tuples(st.integers(1, 40), st.fixed_dictionaries({}, optional={OFFICE: FAULTS, OTHER: FAULTS})), max_size=25
).map(lambda runs: [moment for length, moment in runs for _second in range(length)])


@settings(max_examples=100, deadline=None)
@given(MOMENTS, st.sets(st.integers(0, 400)))
def test_never_two_open_ones_of_a_node_nor_an_end_before_the_beginning(moments: list[Moment], kills: set[int]) -> None:
    for rules in (AT_ONCE, DAMPED, Rules()):
        run = Run(rules, kills).play(moments)
        opened: dict[Node, str] = {}
        for one in run.steps:
            if isinstance(one, Begin):
                assert one.outage.node not in opened
                opened[one.outage.node] = one.outage.id
            elif isinstance(one, End):
                assert opened.pop(one.outage.node) == one.outage.id
            else:
                assert opened[one.outage.node] == one.outage.id
        assert opened == {node: outage.id for node, outage in run.memory.open.items()}
        _check_intervals(run.over())


@settings(max_examples=100, deadline=None)
@given(MOMENTS)
def test_without_damping_the_seconds_are_those_that_were_seen(moments: list[Moment]) -> None:
    spans = Run(AT_ONCE).play(moments).over()
    for node in (OFFICE, OTHER):
        counted = dict.fromkeys(Grade, 0)
        last: Fault | None = None
        for moment in moments:
            if node in moment:
                last = moment[node]
            if last is not None:
                counted[last.grade] += 1
        assert {grade: _seconds(spans, node, grade) for grade in Grade} == counted


def _oracle(up: Sequence[bool], rules: Rules) -> list[bool]:
    """Return for every second whether an outage covers it, looking at the whole past and future at once."""
    out = [False] * len(up)
    second, running = 0, False
    while second < len(up):
        end = second
        while end < len(up) and up[end] == up[second]:
            end += 1
        long = end - second > (rules.recover if running else rules.confirm)
        if up[second] and running:
            covered = not long
            running = not long
        elif up[second]:
            covered = False
        else:
            covered = running or long
            running = covered
        out[second:end] = [covered] * (end - second)
        second = end
    return out


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(1, 60), max_size=30), st.booleans())
def test_damped_seconds_are_those_of_the_oracle(lengths: list[int], first: bool) -> None:
    up = [(index % 2 == 0) is first for index, length in enumerate(lengths) for _second in range(length)]
    spans = Run(DAMPED).play([{OFFICE: None if good else DOWN} for good in up]).over()
    assert _seconds(spans, OFFICE, Grade.AWAY) == sum(_oracle(up, DAMPED))


@settings(max_examples=100, deadline=None)
@given(MOMENTS, st.integers(0, 400))
def test_a_restart_loses_and_doubles_none(moments: list[Moment], kill: int) -> None:
    whole, torn = Run(AT_ONCE).play(moments), Run(AT_ONCE, [kill]).play(moments)
    assert torn.over() == whole.over()


def _for(seconds: int, **seen: Fault | None) -> list[Moment]:
    names = {"office": OFFICE, "other": OTHER}
    return [{names[name]: fault for name, fault in seen.items()}] * seconds


def test_a_blip_is_none_and_a_short_return_ends_nothing() -> None:
    assert Run(DAMPED).play(_for(20, office=DOWN) + _for(60, office=None)).over() == []
    moments = _for(40, office=DOWN) + _for(20, office=None) + _for(40, office=DOWN) + _for(31, office=None)
    assert Run(DAMPED).play(moments).over() == [(OFFICE, Grade.AWAY, 0, 100)]


def test_what_flaps_must_stay_up_for_longer() -> None:
    rules = Rules(confirm=5, recover=10, flaps=3, flap_window=600, flap_recover=120)
    once = _for(10, office=DOWN) + _for(20, office=None)
    run = Run(rules).play(once * 5)
    assert [span[2:] for span in run.intervals] == [(0, 10), (30, 40)]
    assert run.memory.open[OFFICE].began == 60
    assert run.memory.open[OFFICE].fault.evidence["flaps"] == 3
    run.play(_for(121, office=None))
    assert run.intervals[-1][2:] == (60, 130)
    assert run.memory.open == {}


def test_the_root_stands_before_what_follows_from_it() -> None:
    run = Run(DAMPED).play(_for(10, other=BEHIND) + _for(11, other=BEHIND, office=DOWN))
    begun = [one.outage for one in run.steps if isinstance(one, Begin)]
    assert [(one.node, one.began) for one in begun] == [(OFFICE, 10), (OTHER, 0)]
    assert begun[1].root == begun[0].id


def test_what_turns_out_to_be_behind_something_is_seen_in_that_light() -> None:
    run = Run(DAMPED).play(_for(25, other=DOWN) + _for(25, other=BEHIND, office=DOWN))
    outage = run.memory.open[OTHER]
    assert (outage.began, outage.fault, outage.root) == (0, BEHIND, run.memory.open[OFFICE].id)
    assert [type(one) for one in run.steps] == [Begin, Begin, Blame]


def test_what_was_out_long_before_its_way_keeps_its_own_cause() -> None:
    run = Run(DAMPED).play(_for(200, other=DOWN) + _for(100, other=BEHIND, office=DOWN))
    assert run.memory.open[OTHER].fault == DOWN


def test_what_does_not_come_back_with_its_way_is_an_outage_of_its_own_from_then_on() -> None:
    run = Run(DAMPED).play(_for(100, other=BEHIND, office=DOWN) + _for(60, other=DOWN, office=None))
    assert run.intervals == [(OTHER, Grade.AWAY, 0, 100), (OFFICE, Grade.AWAY, 0, 100)]
    outage = run.memory.open[OTHER]
    assert (outage.began, outage.fault.cause, outage.root) == (100, Cause.LINK, None)


def test_a_change_of_grade_is_two_intervals_that_touch() -> None:
    run = Run(DAMPED).play(_for(100, office=WEAK) + _for(100, office=DOWN) + _for(60, office=WORK))
    assert run.over() == [
        (OFFICE, Grade.DEGRADED, 0, 100),
        (OFFICE, Grade.AWAY, 100, 200),
        (OFFICE, Grade.MAINTENANCE, 200, 260),
    ]


def test_a_cause_that_turns_out_to_be_another_one_is_corrected_and_its_root_with_it() -> None:
    run = Run(DAMPED).play(_for(30, office=DOWN) + _for(60, office=POWER))
    assert run.memory.open[OFFICE].fault.cause is Cause.POWER
    assert [type(one) for one in run.steps] == [Begin, Blame]
    run = Run(DAMPED).play(_for(60, office=replace(WEAK, root=OTHER), other=WEAK) + _for(60, office=WEAK, other=WEAK))
    assert run.memory.open[OFFICE].root is None


def test_power_is_not_taken_back_when_the_battery_is_silent_and_a_persons_word_neither() -> None:
    run = Run(DAMPED).play(_for(30, office=POWER) + _for(60, office=DOWN))
    assert run.memory.open[OFFICE].fault.cause is Cause.POWER
    said = Open("x", OFFICE, 0, Fault(State.DOWN, Cause.DEVICE), said=True)
    run = Run(DAMPED)
    run.memory = Memory({OFFICE: said})
    run.play(_for(60, office=DOWN))
    assert run.memory.open[OFFICE].fault.cause is Cause.DEVICE


def test_what_is_unknown_changes_nothing() -> None:
    moments = _for(30, office=DOWN) + _for(500) + _for(5, office=DOWN)
    assert Run(DAMPED).play(moments).over() == [(OFFICE, Grade.AWAY, 0, 535)]
    assert Run(DAMPED).play(_for(15, office=DOWN) + _for(10) + _for(15, office=DOWN)).over() == []


@pytest.mark.parametrize("back", [1, 3600])
def test_a_clock_that_is_set_back_makes_no_interval_end_before_it_began(back: int) -> None:
    run = Run(AT_ONCE).play(_for(10, office=None) + _for(10, office=DOWN))
    run.second -= back
    run.play(_for(5, office=None))
    assert run.intervals == [(OFFICE, Grade.AWAY, 10, 19)]


def test_what_has_come_up_is_not_blamed_on_what_its_way_has_next() -> None:
    """A line is back, and one device of the office is not: what came up was behind the line, until its very end."""
    down: Moment = {OFFICE: DOWN, OTHER: BEHIND}
    weak: Moment = {OFFICE: WEAK, OTHER: None}
    run = Run(DAMPED).play([down] * 60 + [weak] * 25)  # the office's new outage is open, the other's old one still is
    line = next(one.outage for one in run.steps if isinstance(one, Begin) and one.outage.node == OFFICE)
    assert run.memory.open[OFFICE].id != line.id
    assert run.memory.open[OTHER].root == line.id
    run.play([weak] * 10)
    assert OTHER not in run.memory.open
    assert not [one for one in run.steps if isinstance(one, Blame)]


def test_a_trouble_that_gets_worse_and_better_does_not_flap() -> None:
    weak, down, up = ([{OFFICE: fault}] * 40 for fault in (WEAK, DOWN, None))
    run = Run(Rules()).play([*weak, *down, *weak, *up])
    assert len(run.over()) == 3
    assert OFFICE not in run.memory.open, "it came up for longer than the usual time, and was out once"
