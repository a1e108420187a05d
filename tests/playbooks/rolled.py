"""A small rollout to play with: eight boxes in three waves, its events written down as the loop would."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from inventory.windows import Hours, Window
from playbooks.rollout.decide import Decision, decide
from playbooks.rollout.plan import Gate, OnFailure, RolloutPlan, Wave
from playbooks.rollout.situation import World
from playbooks.rollout.state import APPLY, DeviceStatus, Event, Kind, Result, State, Status, evolve, fold, initial

START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
ALWAYS = Hours((), (), HANOI)
EVENING = Hours((Window(frozenset(range(7)), time(20), time(23)),), (), HANOI)  # opens an hour after START
WAVES = (Wave("canary", ("a", "b")), Wave("some", ("c", "d", "e"), approvals=1), Wave("rest", ("f", "g", "h")))
ALL_AT_ONCE = (Wave("all", tuple("abcdefgh")),)
GENEROUS = Gate(bake=600, budget_devices=8)
UPLINKS = {device: "north" if device in "abcd" else "south" for device in "abcdefgh"}


def plan_of(*, waves: tuple[Wave, ...] = WAVES, gate: Gate | None = None, **over: Any) -> RolloutPlan:
    """Return a plan with room for everything, of a month; `over` replaces fields."""
    plan = RolloutPlan(
        name="agent",
        job="one-stop-agent",
        job_digest="d1",
        sets={"version": "2.0"},
        author="lan",
        made_at=START.isoformat(),
        waves=waves,
        gate=gate or Gate(bake=600),
        parallel=20,
        per_uplink=0,
        until=(START + timedelta(days=30)).isoformat(),
        on_failure=OnFailure.STOP,
        uplinks=UPLINKS,
    )
    return replace(plan, **over)


def world(**over: Any) -> World:
    """Return a world in which all may be worked on at any time; `over` replaces fields."""
    return replace(World(dict.fromkeys("abcdefgh", ALWAYS)), **over)


@dataclass
class Played:
    """A rollout whose ledger is a list; the time is what the test says. It is running from the first."""

    plan: RolloutPlan = field(default_factory=plan_of)
    world: World = field(default_factory=world)
    now: datetime = START
    events: list[Event] = field(default_factory=list)
    started: bool = True

    def __post_init__(self) -> None:
        self.state: State = initial(self.plan)
        if self.started:
            self.write(Kind.STARTED)

    def write(self, kind: Kind, device: str = "", wave: int = -1, **details: Any) -> None:
        event = Event(len(self.events) + 1, self.now.isoformat(), kind, device, wave, details)
        self.events.append(event)
        self.state = evolve(self.state, event)

    def decide(self) -> Decision:
        return decide(self.plan, self.state, self.now, self.world)

    def settle(self) -> Decision:
        """Write down the events that are decided until there is a decision without any; dispatch nothing."""
        for _turn in range(50):
            decision = self.decide()
            if not decision.events:
                return decision
            for draft in decision.events:
                self.write(Kind(draft.kind), draft.device, draft.wave, **draft.details)
        raise AssertionError("it decides without end")

    def begin(self) -> list[str]:
        """Settle, then write down all dispatches; return them as "device" or "device back"."""
        decision = self.settle()
        if decision.look:
            self.world = replace(self.world, looked=self.now)
        for device, step in decision.dispatches:
            self.write(Kind.DISPATCHED, device, dispatch=f"id{len(self.events)}", step=step)
        return [device if step == APPLY else f"{device} back" for device, step in decision.dispatches]

    def report(self, devices: str, result: Result = Result.DONE, **details: Any) -> None:
        """Write down the same result for some devices, each named by one letter."""
        for device in devices:
            dispatch = self.state.devices[device].dispatch
            self.write(Kind.REPORTED, device, dispatch=dispatch, result=str(result), reason="", **details)

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def pass_wave(self) -> None:
        """Do the wave under way, or the next, with success."""
        self.report("".join(self.begin()))
        self.settle()
        self.write(Kind.GATE_PASSED, wave=self.state.wave)

    def read_back(self) -> State:
        """Return the state that a controller finds that begins anew: the fold of what was written, through JSON."""
        written = json.dumps([[e.seq, e.at, e.kind, e.device, e.wave, dict(e.details)] for e in self.events])
        again = [Event(seq, at, Kind(kind), *rest) for seq, at, kind, *rest in json.loads(written)]
        return fold(self.plan, again)

    def kinds(self) -> list[str]:
        return [str(event.kind) for event in self.events]

    def status(self) -> Status:
        return self.state.status

    def to_put_back(self) -> list[str]:
        return list(self.state.to_roll_back)

    def how(self, devices: str) -> list[str]:
        return [str(self.state.devices[device].state) for device in devices]

    def __getitem__(self, device: str) -> DeviceStatus:
        return self.state.devices[device]
