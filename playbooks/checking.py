"""Asking devices what a job would change, and comparing with what a plan had foreseen."""

from collections.abc import Mapping, Sequence

from playbooks.event import Change, Event
from playbooks.job import Step
from playbooks.plan import DevicePlan, State, digest, plan_device
from playbooks.target import Target
from playbooks.variables import Values
from playbooks.work import Work


def check(work: Work, targets: Sequence[Target], values: Mapping[str, Values]) -> tuple[DevicePlan, ...]:
    """Return what the job would change on each target, in their order; nothing is changed. Raises PlaybookError.

    `values` are the job's variables by device, secrets as references.
    """
    heard = work.perform(Step.CHECK, targets)
    return tuple(plan_device(target.id, _known(target, values), heard[target.id]) for target in targets)


def _known(target: Target, values: Mapping[str, Values]) -> str:
    """Return the digest of what the job is given on a device; of secrets only their names go into it."""
    return digest([values[target.id], target.variables["tuyen"]])


def moved(planned: Sequence[DevicePlan], found: Sequence[DevicePlan]) -> dict[str, str]:
    """Return the devices on which other things would change than a plan says, with the fingerprints that differ.

    One that does not answer, or fails, has not moved as far as we know: it tells its own reason.
    """
    before = {device.device: device.fingerprint for device in planned}
    return {
        device.device: f"{before.get(device.device, '-')[:12]} != {device.fingerprint[:12]}"
        for device in found
        if device.state is State.CHANGE and before.get(device.device) != device.fingerprint
    }


def unforeseen(planned: DevicePlan, events: Sequence[Event]) -> tuple[Change, ...]:
    """Return what was changed although the plan neither foresaw it nor left it to be decided at apply."""
    known = {change.what for change in planned.changes}
    return tuple(event for event in events if isinstance(event, Change) and event.what not in known)
