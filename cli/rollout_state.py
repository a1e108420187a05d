"""A rollout as commands see it: its plan, what happened, how it stands, who drives it, and the world it decides in."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cli.output import complain
from cli.settings import Settings
from inventory.finding import InvalidProvinceError
from inventory.language import _
from inventory.load import Loader, serious
from inventory.model import Province
from inventory.rollouts import hours_of
from inventory.windows import Hours
from ledger.connection import Ledger
from ledger.leases import Lease, held
from ledger.records import Actor, Rollout, RolloutEvent
from ledger.rollout_history import events, find_rollout, plan_of, rollouts
from ledger.rollouts import lease_name
from playbooks.errors import PlanError
from playbooks.rollout.approval import Approvals
from playbooks.rollout.journal import Journal
from playbooks.rollout.plan import RolloutPlan, load_rollout
from playbooks.rollout.situation import World
from playbooks.rollout.state import DeviceState, State, Status

STATE = Path(".tuyen", "rollouts")  # below the province's folder: plans that were made, logs of detached controllers
_STALE = 10.0  # seconds until newer rollouts are looked for again


@dataclass(frozen=True)
class Seen:
    """A rollout as it was when it was looked at. `events` are all, `state` follows from those that count."""

    record: Rollout
    plan: RolloutPlan
    events: tuple[RolloutEvent, ...]
    state: State
    driver: Lease | None
    approvals: Approvals

    @property
    def at_work(self) -> bool:
        """Whether anything is being done to a device."""
        return any(status.state is DeviceState.AT_WORK for status in self.state.devices.values())


def as_it_can_be_read(options: Settings) -> tuple[Province, bool]:
    """Return the province as far as it can be made, and whether that is all of it; what is wrong is told.

    For what must not wait until somebody's mistake in a file is mended. Raises InvalidProvinceError.
    """
    province, findings = Loader(options.folder()).examine()
    wrong = serious(findings)
    if province is None:
        raise InvalidProvinceError(wrong)
    for found in wrong:
        complain(str(found))
    return province, not wrong


def see(ledger: Ledger, province: Province, key: str) -> Seen:
    """Return the rollout of that id, or the newest of that name. Raises UnknownRolloutError, LedgerError."""
    record = find_rollout(ledger, key)
    return see_record(ledger, province, record)


def see_record(ledger: Ledger, province: Province, record: Rollout) -> Seen:
    """Return a rollout whose record was read. Raises LedgerError."""
    approvals = Approvals(province, record.id, load_rollout(plan_of(ledger, record.id)))
    journal = Journal(ledger, record.id, Actor("", ""), approvals.counts)
    journal.read()
    happened = events(ledger, record.id)
    driver = held(ledger, lease_name(record.id))
    return Seen(record, journal.plan, happened, journal.state, driver, approvals)


def hours_by_device(province: Province, plan: RolloutPlan, takes: Mapping[str, float]) -> dict[str, Hours]:
    """Return when each device may be worked on, as the declaration now says; equal hours are one object. PlanError.

    `takes`: how many seconds the work takes, where anybody knows; it is to end before the hours do.
    Hours are no part of the plan: who changes them while a rollout runs has it gone on with by a new controller.
    """
    rollout = province.rollouts.get(plan.name)
    if rollout is None:
        message = _("there is no rollouts/{name}.yaml any more, which says when offices may be worked on")
        raise PlanError(message.format(name=plan.name))
    same: dict[Hours, Hours] = {}
    declared = (province.devices[device] for device in plan.devices if device in province.devices)
    found = {
        device.id: replace(hours_of(province, rollout, device), takes=takes.get(device.id, 0.0)) for device in declared
    }
    return {device: same.setdefault(hours, hours) for device, hours in found.items()}


@dataclass
class Surroundings:
    """Makes the world for decisions about one rollout; newer rollouts of the job are looked for now and then."""

    ledger: Ledger
    province: Province
    record: Rollout
    hours: Mapping[str, Hours]
    _newer: frozenset[str] = frozenset()
    _looked: float = field(default=-_STALE)

    def world(self) -> World:
        """Return the world as it is now. Raises LedgerError."""
        if time.monotonic() - self._looked >= _STALE:
            self._newer = newer_devices(self.ledger, self.province, self.record)
            self._looked = time.monotonic()
        return World(hours=self.hours, newer=self._newer)


def newer_devices(ledger: Ledger, province: Province, record: Rollout) -> frozenset[str]:
    """Return the devices that newer rollouts of the same job have, or have brought to their target."""
    newer = [one for one in rollouts(ledger) if one.job == record.job and one.id > record.id]
    return frozenset(device for one in newer for device in _taken(see_record(ledger, province, one)))


def _taken(seen: Seen) -> Iterable[str]:
    """Yield the devices of a rollout that are its own: all while it goes on, those that it reached once it is over."""
    going_on = seen.state.status in (Status.RUNNING, Status.PAUSED, Status.FAILED)
    for device, status in seen.state.devices.items():
        if going_on or status.state in (DeviceState.DONE, DeviceState.AT_WORK):
            yield device
