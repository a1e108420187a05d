"""The probes: one file a protocol, one row each in `PROBES`, one way to ask."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel

from exporters.probes import certificate, dns, http, icmp, ntp, snmp, ssh, tcp
from exporters.probes.failure import ProbeError, silence_of
from exporters.reading import Outcome, Reading, Target, metric
from inventory.language import _
from inventory.model import Module


class Probe(Protocol):
    """One question in one protocol. Raises ProbeError; waits without end, for `ask` sets the time."""

    async def __call__(self, target: Target, options: Any, /) -> Outcome:
        """Ask `target` as `options` say, which are the model of `inventory.modules.OPTIONS` for this probe."""


PROBES: Mapping[str, Probe] = {
    "icmp": icmp.probe,
    "tcp": tcp.probe,
    "http": http.probe,
    "certificate": certificate.probe,
    "dns": dns.probe,
    "ssh": ssh.probe,
    "snmp": snmp.probe,
    "ntp": ntp.probe,
}


async def ask(device_id: str, target: Target, module: Module, options: BaseModel) -> Reading:
    """Ask `target` as `module` says, for `module.timeout` seconds at most.

    Always returns a reading with a reason, whatever the network or the far side does; only cancellation passes
    through. `options` come from `inventory.modules.options_of`.
    """
    at, started = time.time(), time.perf_counter()
    outcome = await _outcome(target, module, options)
    return Reading(
        device=device_id,
        module=module.name,
        success=outcome.success,
        degraded=outcome.degraded,
        reason=outcome.reason,
        seconds=time.perf_counter() - started,
        at=at,
        metrics=(metric("probe_ip_protocol", 6 if ":" in target.address else 4), *outcome.metrics),
        asked=outcome.asked,
        heard=outcome.heard and outcome.asked,
    )


async def _outcome(target: Target, module: Module, options: BaseModel) -> Outcome:
    if not target.address:
        return Outcome(False, _("the device has no address: nothing to ask"), asked=False)
    try:
        async with asyncio.timeout(module.timeout):
            return await PROBES[module.probe](target, options)
    except TimeoutError as timeout:
        what, heard = silence_of(timeout)
        told = _("{what} (waited {seconds:g} s)")
        reason = told.format(what=what or _("no answer"), seconds=module.timeout)
        return Outcome(False, reason, heard=heard)
    except ProbeError as failure:
        return failure.outcome
