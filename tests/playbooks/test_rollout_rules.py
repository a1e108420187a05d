"""No interleaving of reports, people, verdicts, kills and clocks makes a rollout break its rules, or never end."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from inventory.windows import Hours, Window
from playbooks.rollout.decide import Decision, Waiting
from playbooks.rollout.plan import Gate, OnFailure, Wave
from playbooks.rollout.situation import World
from playbooks.rollout.state import DeviceState, Kind, Result, Status
from tests.playbooks.rolled import ALWAYS, START, Played, plan_of

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
DAILY = frozenset(range(7))
NIGHT = Hours((Window(DAILY, time(17, 30), time(6, 30)),), (), HANOI)
OFFICE = Hours((), (Window(frozenset(range(5)), time(7), time(17)),), HANOI)
BRIEF = Hours((Window(DAILY, time(20), time(20, 20)),), (), HANOI)
DEVICES = "abcdefghij"
UPLINKS = dict(zip(DEVICES, "nnnnssssee", strict=True))
DEVICE = st.sampled_from(DEVICES)
FINAL = frozenset(DeviceState) - {DeviceState.WAITING, DeviceState.OWED, DeviceState.AT_WORK}
DEAF = frozenset({Status.PLANNED, Status.PAUSED, Status.FAILED, Status.ABORTED, Status.ENDED})


@st.composite
def plays(draw: st.DrawFn) -> Played:
    """Ten devices in up to four waves, under any limits, budget and windows."""
    cuts = sorted(draw(st.sets(st.integers(1, 9), max_size=3)))
    slices = [DEVICES[start:end] for start, end in zip([0, *cuts], [*cuts, 10], strict=True)]
    waves = tuple(Wave(name, tuple(name), approvals=draw(st.integers(0, 2))) for name in slices)
    gate = Gate(
        bake=draw(st.sampled_from([0, 600])),
        probes=draw(st.booleans()),
        budget_devices=draw(st.integers(0, 3)),
        budget_ratio=draw(st.sampled_from([0, 0.5, 1])),
    )
    plan = plan_of(
        waves=waves,
        gate=gate,
        parallel=draw(st.integers(1, 10)),
        per_uplink=draw(st.integers(0, 3)),
        until=(START + timedelta(days=2)).isoformat(),
        on_failure=draw(st.sampled_from(OnFailure)),
        uplinks=UPLINKS,
    )
    hours = {device: draw(st.sampled_from([ALWAYS, NIGHT, OFFICE, BRIEF])) for device in DEVICES}
    return Played(plan, World(hours, probe_interval=1800), started=draw(st.integers(0, 3)) > 0)


class Model:
    """What the rules speak of, told from the events alone and by other means than `evolve`."""

    def __init__(self, played: Played) -> None:
        self.at_work: dict[str, str] = {}  # device -> step
        self.done: set[str] = set()
        self.failing: set[str] = set()
        self.accepted: set[str] = set()
        self.changed: set[str] = set()
        self.passed: set[int] = set()
        self._waves = [set(wave.devices) for wave in played.plan.waves]
        self._gate = played.plan.gate

    def reported(self, device: str, result: Result, changed: bool) -> None:
        step = self.at_work.pop(device)
        if step == "rollback":
            self.changed -= {device} if result is Result.DONE else set()
            return
        self.done |= {device} if result is Result.DONE else set()
        (self.failing.discard if result is Result.DONE else self.failing.add)(device)
        if changed and result in (Result.DONE, Result.FAILED, Result.LOST):
            self.changed.add(device)

    def over_budget(self) -> bool:
        counted = self.failing - self.accepted
        return any(len(wave & counted) > self._gate.budget(len(wave)) for wave in self._waves)


class Rollouts(RuleBasedStateMachine):
    """One rollout, to which anything may happen at any moment."""

    @initialize(played=plays())
    def begin(self, played: Played) -> None:
        self.played, self.model = played, Model(played)
        self.passing: int | None = None  # the wave that a look was begun to judge
        self.clock = played.now  # the latest time that was

    @rule(unfit=st.sets(DEVICE, max_size=2))
    def go_on(self, unfit: set[str]) -> None:
        """Do what the loop does until there is nothing more to write down."""
        while self.take_turn(unfit).events:
            pass

    def take_turn(self, unfit: set[str]) -> Decision:
        """Do what the loop does in a turn."""
        played = self.played
        decision = played.decide()
        assert decision == played.decide()
        self.check(decision)
        before = replace(played.state, seq=0)
        for draft in decision.events:
            played.write(Kind(draft.kind), draft.device, draft.wave, **draft.details)
        assert not decision.events or replace(played.state, seq=0) != before
        for device, step in decision.dispatches:
            if device in unfit and step == "apply":
                until = (played.now + timedelta(minutes=10)).isoformat()
                played.write(Kind.POSTPONED, device, why="on battery", until=until)
            else:
                self.dispatch(device, step)
        if decision.look:
            played.world = replace(played.world, looked=played.now)
            self.passing = played.state.wave if decision.judge else None
        return decision

    def check(self, decision: Decision) -> None:
        """Check that what is to be begun breaks no rule."""
        played, state = self.played, self.played.state
        assert not (decision.events and (decision.dispatches or decision.look))
        assert decision.until is None or decision.until > played.now
        if state.status in DEAF:
            assert not decision.dispatches
            assert not decision.look
        if self.model.over_budget() and state.status is Status.RUNNING:
            assert [draft.kind for draft in decision.events] == [Kind.GATE_FAILED]
        assert not decision.judge or (decision.look and self.has_baked())

    def has_baked(self) -> bool:
        began = datetime.fromisoformat(self.played.state.baking_since)
        return self.played.now >= began + timedelta(seconds=self.played.plan.gate.bake)

    def dispatch(self, device: str, step: str) -> None:
        """Begin on a device, and check that this breaks no rule."""
        played, model = self.played, self.model
        assert device not in model.at_work
        assert device not in played.world.newer
        if step == "apply":
            assert device not in model.done
            assert not model.over_budget()
            assert played.state.status is Status.RUNNING
            assert played.world.hours[device].is_open(played.now)
            assert set(range(played.plan.wave_of(device))) <= model.passed
            assert self.is_approved(played.plan.wave_of(device))
            assert played.now < datetime.fromisoformat(played.plan.until)
        else:
            assert device in model.changed
        model.at_work[device] = step
        assert len(model.at_work) <= played.plan.parallel
        behind = Counter(UPLINKS[name] for name in model.at_work)
        assert played.plan.per_uplink == 0 or max(behind.values()) <= played.plan.per_uplink
        played.write(Kind.DISPATCHED, device, dispatch=f"id{len(played.events)}", step=step)
        assert played[device].state is DeviceState.AT_WORK

    def is_approved(self, wave: int) -> bool:
        approvals = [event for event in self.played.events if event.kind is Kind.APPROVED and event.wave == wave]
        people = {event.details["person"] for event in approvals} - {"lan"}
        return len(people) >= self.played.plan.waves[wave].approvals

    @precondition(lambda self: self.model.at_work)
    @rule(data=st.data(), result=st.sampled_from(Result), changed=st.booleans(), good=st.booleans())
    def report(self, data: st.DataObject, result: Result, changed: bool, good: bool) -> None:
        device = data.draw(st.sampled_from(sorted(self.model.at_work)))
        self.tell(device, Result.DONE if good else result, changed)

    def tell(self, device: str, result: Result, changed: bool) -> None:
        self.model.reported(device, result, changed)
        self.played.report(device, result, changed=changed)
        assert self.played[device].state is not DeviceState.AT_WORK

    @rule(device=DEVICE, kind=st.sampled_from([Kind.REPORTED, Kind.DISPATCHED]))
    def hear_a_ghost(self, device: str, kind: Kind) -> None:
        """A report of a dispatch that is not, or a dispatch of what is at work, changes nothing."""
        if kind is Kind.REPORTED or device in self.model.at_work:
            before = self.played[device]
            self.played.write(kind, device, dispatch="ghost", step="apply", result="done", reason="")
            assert self.played[device] == before

    @precondition(lambda self: self.passing is not None)
    @rule(verdict=st.sampled_from(["well", "well", "well", "ill", "unknown"]))
    def judge(self, verdict: str) -> None:
        self.say(verdict)

    def say(self, verdict: str) -> None:
        """Write down a verdict as the loop does: only while it matters."""
        state, wave, self.passing = self.played.state, self.passing, None
        if wave != state.wave or state.status is not Status.RUNNING or not state.baking_since:
            return
        match verdict:
            case "well":
                self.played.write(Kind.GATE_PASSED, wave=wave)
                self.model.passed.add(wave)
            case "ill":
                self.played.write(Kind.GATE_FAILED, wave=wave, why="the portal is down")
            case _:
                self.played.write(Kind.PAUSED, why="the gate cannot be asked")

    @rule(wave=st.integers(0, 3), person=st.sampled_from(["lan", "minh", "hoa"]))
    def approve(self, wave: int, person: str) -> None:
        self.played.write(Kind.APPROVED, wave=wave, person=person)

    @rule(kind=st.sampled_from([Kind.STARTED, Kind.PAUSED, Kind.RESUMED, Kind.RESUMED]))
    def say_a_word(self, kind: Kind) -> None:
        if kind is Kind.RESUMED and self.played.state.status is Status.FAILED:
            self.model.accepted |= self.model.failing
        self.played.write(kind)

    @precondition(lambda self: len(self.played.events) > 20)
    @rule(devices=st.lists(DEVICE, max_size=10), kind=st.sampled_from([Kind.ABORTED, Kind.ROLLBACK]))
    def give_up(self, devices: list[str], kind: Kind) -> None:
        self.played.write(kind, devices=devices)

    @rule(device=DEVICE, seldom=st.integers(0, 5))
    def declare_newer(self, device: str, seldom: int) -> None:
        if seldom == 0:
            self.played.world = replace(self.played.world, newer=self.played.world.newer | {device})

    @rule(span=st.sampled_from([1, 59, 61, 600, 3600, 3 * 3600, 11 * 3600, -1, -600, -86400]))
    def let_time_pass(self, span: int) -> None:
        self.played.later(seconds=span)
        self.clock = max(self.clock, self.played.now)

    @rule()
    def wait_as_told(self) -> None:
        decision = self.played.decide()
        if not decision.events and not decision.dispatches and decision.until:
            self.played.now = decision.until
            self.clock = max(self.clock, self.played.now)

    @rule()
    def kill(self) -> None:
        """A controller that begins anew knows what can be read, and not when it looked last."""
        played = self.played
        again = played.read_back()
        assert again == played.state
        played.state = again
        played.world, self.passing = replace(played.world, looked=None), None

    def teardown(self) -> None:
        """With people who answer, clocks that go forward and devices of which two are away for good, all ends."""
        if not hasattr(self, "played"):
            return
        self.played.now = max(self.clock, self.played.now)
        for turn in range(1000):
            if self.played.state.status is Status.ENDED:
                break
            self.end_a_turn(away={"a", "e"} if turn % 7 else {"a"})
        assert self.played.state.status is Status.ENDED
        assert not self.model.at_work
        if not {Kind.ABORTED, Kind.ROLLBACK} & {event.kind for event in self.played.events}:
            assert all(status.state in FINAL for status in self.played.state.devices.values())

    def end_a_turn(self, away: set[str]) -> None:
        played = self.played
        self.take_turn(set())
        for device in sorted(self.model.at_work):
            self.tell(device, Result.UNREACHABLE if device in away else Result.DONE, changed=True)
        if self.passing is not None:
            self.say("well")
        decision = played.decide()
        if decision.waiting_for is Waiting.APPROVAL:
            self.approve(played.state.wave + 1, "minh")
            self.approve(played.state.wave + 1, "hoa")
        if decision.waiting_for in (Waiting.START, Waiting.PERSON):
            self.say_a_word(Kind.RESUMED if decision.waiting_for is Waiting.PERSON else Kind.STARTED)
        self.wait_as_told()


RolloutRules = Rollouts.TestCase
RolloutRules.settings = settings(max_examples=250, stateful_step_count=60, deadline=None)
