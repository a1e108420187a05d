"""One rollout as it stands: as a board for people, as items for programs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.text import Text

from cli.output import print_table, safe, say
from cli.rollout_course import local
from cli.rollout_state import Seen, Surroundings, hours_by_device
from cli.rollout_words import STATUS_STYLES, WAITING
from exporters.page.words import ROLLOUT_WORDS
from inventory.language import N_, _
from inventory.model import Province
from inventory.windows import Hours
from ledger.connection import Ledger
from ledger.records import now
from playbooks.catalogue import find_job
from playbooks.errors import PlaybookError
from playbooks.rollout.decide import decide
from playbooks.rollout.estimate import estimate_waves, seconds_of, typical_seconds
from playbooks.rollout.plan import Wave
from playbooks.rollout.state import DeviceState, Kind, Result, Status
from playbooks.rollout.words import DEVICE_STATES, counted

if TYPE_CHECKING:
    from rich.console import RenderableType

BOARD_COLUMNS = {"wave": N_("WAVE"), "name": N_("NAME"), "count": N_("DEVICES"), "how": N_("HOW"), "gate": N_("GATE")}
DEVICE_COLUMNS = {"device": N_("DEVICE"), "is": N_("STATE"), "tries": N_("TRIES"), "reason": N_("WHY")}
_HOUR = 3600.0
_NOTABLE = (DeviceState.AT_WORK, DeviceState.FAILED, DeviceState.OWED, DeviceState.ROLLED_BACK, DeviceState.NOT_DONE)
_MOST_DEVICES = 20  # on the board
Items = list[dict[str, Any]]
Drawn = tuple[Mapping[str, str], Items]  # a table: its columns, and its rows


class Board:
    """One rollout as it stands."""

    def __init__(self, ledger: Ledger, province: Province, seen: Seen) -> None:
        self._ledger, self._province, self.seen = ledger, province, seen

    @cached_property
    def _hours(self) -> Mapping[str, Hours]:
        try:
            return hours_by_device(self._province, self.seen.plan, self._seconds)
        except PlaybookError:  # its declaration is gone: it can still be looked at
            return {}

    @cached_property
    def _seconds(self) -> Mapping[str, float]:
        """How long each device takes; of none where the job is no more, or the device."""
        plan = self.seen.plan
        try:
            job = find_job(Path(self._province.folder), plan.job)
        except PlaybookError:
            return {}
        typical = self._own_seconds() or typical_seconds(self._ledger, plan.job)
        return seconds_of(self._province, job, plan.devices, typical)

    def rollout_item(self) -> dict[str, Any]:
        """Return the whole in one item."""
        seen, state, plan = self.seen, self.seen.state, self.seen.plan
        states = Counter(str(status.state) for status in state.devices.values())
        return {
            "is": "rollout",
            "rollout": plan.name,
            "id": seen.record.id,
            "job": plan.job,
            "author": plan.author,
            "status": str(state.status),
            "reason": state.reason,
            "wave": state.wave + 1,
            "waves": len(plan.waves),
            "devices": len(state.devices),
            **{name: states[name] for name in DEVICE_STATES},
            "waits_for": self._waits_for(),
            "rate": self._rate(),
            "ends": self._ends(),
            "until": plan.until,
            "made_at": seen.record.made_at,
            "ended_at": seen.record.ended_at,
            "driver": seen.driver.person if seen.driver else "",
            "driver_host": seen.driver.host if seen.driver else "",
            "driver_process": seen.driver.pid if seen.driver else None,
        }

    def _waits_for(self) -> str:
        around = Surroundings(self._ledger, self._province, self.seen.record, self._hours)
        return str(decide(self.seen.plan, self.seen.state, now(), around.world()).waiting_for)

    def _rate(self) -> float | None:
        """Return how many devices an hour were done in the last hour; None when none was."""
        moment = now()
        done = [datetime.fromisoformat(event.at) for event in self.seen.events if _is_done(event.details)]
        lately = [at for at in done if moment - at <= timedelta(seconds=_HOUR)]
        begun = [datetime.fromisoformat(event.at) for event in self.seen.events if event.kind == Kind.DISPATCHED]
        if not lately:
            return None
        span = min(_HOUR, max(60.0, (moment - begun[0]).total_seconds()))
        return round(len(lately) * _HOUR / span, 1)

    def _ends(self) -> str | None:
        """Return when the last wave would pass if all went well from now on, in UTC; None when nobody can say."""
        seen, plan = self.seen, self.seen.plan
        if seen.state.status is not Status.RUNNING or not self._seconds:
            return None
        left = [Wave(wave.name, tuple(filter(self._is_ahead, wave.devices))) for wave in self._waves_ahead()]
        guesses = estimate_waves(plan, left, self._hours, self._seconds, now())
        ends = guesses[-1].ends if guesses and len(guesses) == len(left) else None
        return ends.isoformat(timespec="seconds") if ends else None

    def _waves_ahead(self) -> tuple[Wave, ...]:
        return tuple(wave for number, wave in enumerate(self.seen.plan.waves) if number not in self.seen.state.passed)

    def _is_ahead(self, device: str) -> bool:
        known = device in self._seconds
        return known and self.seen.state.devices[device].state in (DeviceState.WAITING, DeviceState.AT_WORK)

    def _own_seconds(self) -> float | None:
        """Return how long a device took in this rollout, in the median."""
        begun: dict[str, datetime] = {}
        took = []
        for event in self.seen.events:
            dispatch = str(event.details.get("dispatch", ""))
            if event.kind == Kind.DISPATCHED:
                begun[dispatch] = datetime.fromisoformat(event.at)
            elif _is_done(event.details) and dispatch in begun:
                took.append((datetime.fromisoformat(event.at) - begun[dispatch]).total_seconds())
        return median(took) if took else None

    def wave_items(self) -> Items:
        """Return an item a wave."""
        state = self.seen.state
        return [
            {
                "is": "wave",
                "rollout": self.seen.plan.name,
                "wave": number + 1,
                "name": wave.name,
                "devices": len(wave.devices),
                **Counter(str(state.devices[device].state) for device in wave.devices),
                "gate": self._gate(number),
                "approvals": wave.approvals,
                "approved": list(dict.fromkeys(state.approved.get(number, ()))),
            }
            for number, wave in enumerate(self.seen.plan.waves)
        ]

    def _gate(self, number: int) -> str:
        state = self.seen.state
        if number in state.passed:
            return "passed"
        if number != state.wave:
            return "ahead"
        if state.status in (Status.RUNNING, Status.PAUSED):
            return "baking" if state.baking_since else "open"
        turns = [event.kind for event in self.seen.events if event.kind in (Kind.GATE_FAILED, Kind.RESUMED)]
        return "failed" if turns[-1:] == [Kind.GATE_FAILED] else "stopped"

    def device_items(self) -> Items:
        """Return an item a device."""
        plan = self.seen.plan
        return [
            {
                "is": "device",
                "rollout": plan.name,
                "wave": number + 1,
                "device": device,
                "state": str(status.state),
                "tries": status.tries,
                "reason": status.reason,
                "until": status.until,
                "at": status.at,
            }
            for number, wave in enumerate(plan.waves)
            for device in wave.devices
            for status in [self.seen.state.devices[device]]
        ]

    def items(self) -> Items:
        """Return everything, for programs."""
        return [self.rollout_item(), *self.wave_items(), *self.device_items()]

    def show_standing(self) -> None:
        """Print how it stands and what it waits for, before it is gone on with."""
        for line in islice(self._heading(), 3):
            say(line)
        say("")

    def show(self) -> None:
        """Print the board."""
        for line in self._heading():
            say(line)
        for columns, rows in self._tables():
            say("")
            print_table(columns, rows)
        if more := self._more():
            say(more)

    def drawn(self) -> "list[RenderableType]":
        """Return the board as rich draws it."""
        parts: list[RenderableType] = [Text(safe(line)) for line in self._heading()]
        for columns, rows in self._tables():
            parts += [Text(), _drawn(columns, rows)]
        return [*parts, Text(more)] if (more := self._more()) else parts

    def _tables(self) -> Iterable[Drawn]:
        """Yield the waves, and the first of the devices that are worth a line."""
        yield BOARD_COLUMNS, [self._row(item) for item in self.wave_items()]
        if notable := self._notable():
            rows = [{**item, "is": Text(_(DEVICE_STATES[item["state"]]))} for item in notable[:_MOST_DEVICES]]
            yield DEVICE_COLUMNS, rows

    def _notable(self) -> Items:
        return [item for item in self.device_items() if item["state"] in _NOTABLE]

    def _more(self) -> str:
        count = len(self._notable()) - _MOST_DEVICES
        return _("... and {count} more").format(count=count) if count > 0 else ""

    def _heading(self) -> Iterable[str]:
        seen, item, zone = self.seen, self.rollout_item(), self._province.time_zone
        status = _(ROLLOUT_WORDS[item["status"]]) + (f": {item['reason']}" if item["reason"] else "")
        yield _("{rollout} ({id}), {job}, by {author}: {status}").format(**{**item, "status": status})
        yield counted(str(device.state) for device in seen.state.devices.values())
        if seen.record.ended_at:
            yield _("ended {at}").format(at=local(seen.record.ended_at, zone))
            return
        wave = seen.state.wave + (2 if seen.state.between_waves else 1)
        yield _("waits for {what}").format(what=_(WAITING[item["waits_for"]]).format(wave=wave))
        if item["rate"]:
            yield _("{rate:g} devices an hour").format(rate=item["rate"])
        if item["ends"]:
            yield _("expected end: {at}; owed until {until}").format(
                at=local(item["ends"], zone), until=local(item["until"], zone)
            )
        yield self._driver()

    def _driver(self) -> str:
        driver = self.seen.driver
        if driver is None:
            return _("nobody drives it; go on with: tuyen rollout resume {name}").format(name=self.seen.plan.name)
        message = _("driven by {person} on {host}, process {process}")
        return message.format(person=driver.person, host=driver.host, process=driver.pid)

    def _row(self, item: Mapping[str, Any]) -> dict[str, Any]:
        wave = self.seen.plan.waves[item["wave"] - 1]
        states = (str(self.seen.state.devices[device].state) for device in wave.devices)
        gate = _(GATES[item["gate"]])
        if item["approvals"] and item["gate"] == "ahead":
            gate = _("approved by {count} of {wanted}").format(count=len(item["approved"]), wanted=item["approvals"])
        return {**item, "count": item["devices"], "how": counted(states), "gate": gate}


GATES: Mapping[str, str] = {
    "passed": N_("passed"),
    "ahead": "",
    "failed": N_("FAILED"),
    "baking": N_("baking"),
    "open": N_("under way"),
    "stopped": N_("not done"),
}


def _drawn(columns: Mapping[str, str], rows: Items) -> "RenderableType":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns.values():
        table.add_column(_(heading), overflow="fold")
    for row in rows:
        cells = (row.get(key) for key in columns)
        table.add_row(*(cell if isinstance(cell, Text) else Text(safe(cell)) for cell in cells))
    return table


def _is_done(details: Mapping[str, Any]) -> bool:
    return details.get("result") == Result.DONE


def status_cell(status: str) -> Text:
    """Return a rollout's status, coloured, in the user's language."""
    return Text(_(ROLLOUT_WORDS[status]), style=STATUS_STYLES.get(status, ""))


def is_done(seen: Seen) -> bool:
    """Whether a rollout has brought every device where it was to go."""
    wanted = {DeviceState.DONE, DeviceState.SUPERSEDED}
    return seen.state.status is Status.ENDED and all(status.state in wanted for status in seen.state.devices.values())


def is_put_back(seen: Seen) -> bool:
    """Whether nothing is left of what was to be put back."""
    left = {DeviceState.FAILED, DeviceState.OWED, DeviceState.NOT_DONE}
    return seen.state.status is Status.ENDED and not any(one.state in left for one in seen.state.devices.values())
