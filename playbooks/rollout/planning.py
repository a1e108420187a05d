"""From a declared rollout to a plan: its waves as lists of devices, and everything that was decided beforehand."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from inventory.language import _
from inventory.model import Device, Province, Rollout
from inventory.rollouts import ends_at
from inventory.selector import select_devices
from ledger.records import stamp
from playbooks.errors import PlaybookError, UnreadablePlanError
from playbooks.job import Job
from playbooks.rollout.plan import Gate, OnFailure, RolloutPlan, dump_rollout, load_rollout
from playbooks.rollout.waves import make_waves
from playbooks.variables import values_of

SCHEMA = 1
RATE = "rate"  # kbit/s: what jobs that transfer call their limit


def plan_rollout(province: Province, rollout: Rollout, job: Job, *, author: str, now: datetime) -> RolloutPlan:
    """Return what `rollout` is going to do. Raises PlaybookError: a device that does not fit, a day that is over."""
    devices = tuple(province.devices[device] for device in rollout.devices)
    sets = _sets(rollout, job)
    _check(province, rollout, job, devices, sets, now)
    gate, limits = rollout.gate, rollout.limits
    return RolloutPlan(
        name=rollout.name,
        job=job.name,
        job_digest=job.digest,
        sets=sets,
        author=author,
        made_at=stamp(now),
        waves=make_waves(rollout.waves, {device.id: province.offices[device.office].district for device in devices}),
        gate=Gate(gate.bake, gate.probes, gate.budget_devices, gate.budget_percent / 100, gate.query),
        parallel=limits.parallel,
        per_uplink=limits.per_uplink,
        until=stamp(ends_at(province, rollout)),
        on_failure=OnFailure(rollout.on_failure),
        uplinks={device.id: shared_uplink(province, device.office) for device in devices},
    )


def _check(
    province: Province, rollout: Rollout, job: Job, devices: Sequence[Device], sets: Mapping[str, Any], now: datetime
) -> None:
    if ends_at(province, rollout) <= now:
        message = _("{place}: 'until: {until}' is over; write a day that is still to come")
        raise PlaybookError(message.format(place=rollout.place, until=rollout.until))
    fitting = {device.id for device in select_devices(province, job.shape.fits)}
    if misfits := [device.id for device in devices if device.id not in fitting]:
        message = _("{place}: '{job}' fits {fits}; {device} (of {count} chosen devices) does not")
        values = {"job": job.name, "fits": job.shape.fits, "device": misfits[0], "count": len(misfits)}
        raise PlaybookError(message.format(place=rollout.place, **values))
    values_of(province, job, devices, sets)


def _sets(rollout: Rollout, job: Job) -> dict[str, Any]:
    """Return the values of the job's variables: those declared, and the rate for a job that knows one."""
    limited = bool(rollout.limits.rate) and RATE in job.shape.variables
    return {**({RATE: rollout.limits.rate // 1000} if limited else {}), **rollout.values}


def shared_uplink(province: Province, office: str) -> str:
    """Return the office whose uplink carries that one and its neighbours: the last on the way before the root.

    That is a district's for its communes. The root, which has no uplink, stands for itself.
    """
    found = province.offices[office]
    while found.uplink and (parent := province.offices[found.parent]).uplink:
        found = parent
    return found.id


def write_rollout(plan: RolloutPlan, path: Path, foreseen: Sequence[Mapping[str, Any]] = ()) -> None:
    """Write a plan under its digest, whole or not at all; `foreseen` says for people what it would change. OSError."""
    written = path.with_name(f"{path.name}.new")
    content = {"schema": SCHEMA, "digest": plan.digest, "plan": dump_rollout(plan), "foreseen": list(foreseen)}
    written.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    written.replace(path)


def read_rollout(path: Path) -> RolloutPlan:
    """Return the plan in a file. Raises UnreadablePlanError, also when it was changed since it was written."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        plan = load_rollout(content["plan"])
    except OSError as error:
        reason: object = error.strerror
    except (ValueError, KeyError, TypeError):
        reason = _("it is no whole plan of a rollout")
    else:
        if content.get("schema") == SCHEMA and content.get("digest") == plan.digest:
            return plan
        reason = _("it was changed after it was made")
    raise UnreadablePlanError(
        _("the plan {path} cannot be used: {reason}; make a new one with: tuyen rollout plan NAME --out {path}").format(
            path=path, reason=reason
        )
    )
