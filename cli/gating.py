"""What a rollout is handed to judge by: whether all is still as well as it was, and whether a device may be touched.

What was not up when the rollout started does not fail its gate; what was up and is not any more does, and is named.
Where nothing can be told (the province's own way out is down, nothing answers, this machine cannot ask), it says so.
"""

import asyncio
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from exporters.health import judge
from exporters.query import QueryError, instant_query
from exporters.questions import (
    Key,
    Knowledge,
    Question,
    questions,
    service_questions,
    target_of,
    way_questions,
)
from exporters.reading import Reading
from exporters.round import ask_round
from inventory.language import _
from inventory.model import Device, Province
from inventory.modules import options_of
from inventory.topology import State
from playbooks.rollout.plan import Gate
from playbooks.rollout.seams import Judgement, Verdict

PROMETHEUS = "TUYEN_PROMETHEUS"  # the variable that says where it is
NEAR = "http://localhost:9090"
AGAIN = 2.0  # seconds until what answered ill is asked once more: one hiccup must not stop a rollout
PINGS = 10
MOST_LOSS = 0.2  # of those pings
SLOWEST = 1.0  # seconds for a round trip, in the mean
_PING_TIMEOUT = 8.0  # seconds
Readings = Mapping[Key, Reading]


class Ill(NamedTuple):
    """Why something is not up."""

    state: State
    reason: str


@dataclass(frozen=True)
class Gating:
    """The gate and the fitness of one rollout. `before` tells what was not up when it started: ids and reasons."""

    province: Province
    gate: Gate
    knowledge: Knowledge
    before: Mapping[str, str]

    def look(self, devices: Sequence[str]) -> Verdict:
        """Ask how these devices, their offices and services are now."""
        verdict = self._probed(devices) if self.gate.probes and devices else Verdict(Judgement.WELL)
        if verdict.judgement is Judgement.WELL and self.gate.query:
            return ask_query(self.gate.query)
        return verdict

    def _probed(self, devices: Sequence[str]) -> Verdict:
        asked = {one.key: one for one in asked_about(self.province, devices, self.knowledge)}
        readings = ask_all(asked.values())
        verdict = self._judged(devices, readings)
        doubtful = [asked[key] for key, reading in readings.items() if reading.heard and not _is_good(reading)]
        if verdict.judgement is not Judgement.ILL or not doubtful:
            return verdict  # silent devices were asked twice
        time.sleep(AGAIN)
        return self._judged(devices, {**readings, **ask_all(doubtful)})

    def _judged(self, devices: Sequence[str], readings: Readings) -> Verdict:
        if why := blind(self.province, readings):
            return Verdict(Judgement.UNKNOWN, why)
        worse = {name: ill for name, ill in ills(self.province, devices, readings).items() if name not in self.before}
        known = {name: ill for name, ill in worse.items() if ill.state is not State.UNKNOWN}
        if not worse:
            return Verdict(Judgement.WELL)
        return Verdict(Judgement.ILL if known else Judgement.UNKNOWN, _told(known or worse))

    def fitness(self, devices: Sequence[str]) -> Mapping[str, str]:
        """Return the devices that must not be touched now, and why: the mains are off, or the link is bad.

        A silent office is not among them: that it does not answer is for the rollout to find out, and to count.
        """
        own = [self.province.devices[device] for device in devices if device in self.province.devices]
        offices = dict.fromkeys(device.office for device in own)
        readings = ask_all(_of_fitness(self.province, offices, self.knowledge))
        unfit: dict[str, str] = {}
        for reading in readings.values():
            if why := unfitness(reading):
                unfit.setdefault(self.province.devices[reading.device].office, why)
        message = _("'{device}' is no longer declared")
        gone = {device: message.format(device=device) for device in devices if device not in self.province.devices}
        return gone | {device.id: unfit[device.office] for device in own if device.office in unfit}


def _told(worse: Mapping[str, Ill], most: int = 5) -> str:
    named = "; ".join(f"{name}: {ill.reason or ill.state}" for name, ill in list(worse.items())[:most])
    if len(worse) <= most:
        return named
    return _("{named}; and {count} more").format(named=named, count=len(worse) - most)


def ask_all(asked: Iterable[Question]) -> dict[Key, Reading]:
    """Ask each question once, and silent devices once more."""

    async def ask() -> dict[Key, Reading]:
        return {key: reading async for key, reading in ask_round({one.key: one for one in asked}.values())}

    return asyncio.run(ask())


def asked_about(province: Province, ids: Iterable[str], knowledge: Knowledge) -> Iterator[Question]:
    """Yield the questions of devices, of the gateways on the way to them, and of the services of their offices."""
    devices = [province.devices[device] for device in ids if device in province.devices]
    yield from way_questions(province, devices, knowledge)
    yield from questions(province, devices, knowledge)
    needed = _services(province, {device.office for device in devices})
    yield from (question for question in service_questions(province, knowledge) if question.service in needed)


def _services(province: Province, offices: set[str]) -> set[str]:
    return {service.id for service in province.services.values() if offices.intersection(service.offices)}


def not_up(province: Province, ids: Sequence[str], knowledge: Knowledge) -> dict[str, str]:
    """Return what is not up now among devices, their offices and services, with reasons: `before` of a rollout."""
    readings = ask_all(asked_about(province, ids, knowledge))
    return {name: ill.reason or str(ill.state) for name, ill in ills(province, ids, readings).items()}


def blind(province: Province, readings: Readings) -> str:
    """Return why nothing can be told from these readings; "" when something can."""
    asked = [reading for reading in readings.values() if reading.asked]
    if not asked:
        return next((reading.reason for reading in readings.values()), _("there is nothing to ask"))
    if not any(reading.heard for reading in asked):
        return _("nothing answers at all: the fault may be here")
    heard = {reading.device for reading in asked if reading.heard}
    roots = {office.id for office in province.offices.values() if office.uplink is None}
    gateways = {reading.device for reading in asked if _is_gateway(province, reading.device, roots)}
    if gateways and not gateways & heard:
        return _("the province's own way out is down: {gateway} is silent").format(gateway=min(gateways))
    return ""


def _is_gateway(province: Province, device: str, offices: set[str]) -> bool:
    return province.devices[device].gateway and province.devices[device].office in offices


def ills(province: Province, ids: Iterable[str], readings: Readings) -> dict[str, Ill]:
    """Return what is not up among devices, their offices and services, by id; UNKNOWN where asking itself failed."""
    health = judge(province, {key: _without_loss(reading) for key, reading in readings.items()})
    devices = [province.devices[device] for device in ids if device in province.devices]
    offices = dict.fromkeys(device.office for device in devices)
    wanted = [(device.id, health.devices) for device in devices] + [(office, health.offices) for office in offices]
    wanted += [(service, health.services) for service in sorted(_services(province, set(offices)))]
    found = {
        name: Ill(states[name], health.reasons.get(name, ""))
        for name, states in wanted
        if states.get(name, State.UP) is not State.UP
    }
    names = {name for name, _states in wanted}
    for (device, _module, service, _about), reading in readings.items():
        name = service or device
        if not reading.asked and name in names:
            found.setdefault(name, Ill(State.UNKNOWN, reading.reason))
    return found


def _is_good(reading: Reading) -> bool:
    return reading.success and not reading.degraded


def _without_loss(reading: Reading) -> Reading:
    """Return a reading as it is, but for pings of which some came back: weak links lose packets every day."""
    return replace(reading, degraded=False) if _metric(reading, "tuyen_probe_icmp_loss_ratio") is not None else reading


def _metric(reading: Reading, name: str) -> float | None:
    return next((metric.value for metric in reading.metrics if metric.name == name), None)


def _of_fitness(province: Province, offices: Iterable[str], knowledge: Knowledge) -> Iterator[Question]:
    """Yield the questions of each office's UPS, and several pings for its gateway."""
    icmp = replace(province.modules["icmp"], timeout=_PING_TIMEOUT)
    for office in offices:
        for device in province.devices_of[office]:
            if device.gateway and device.address:
                options = options_of(icmp, {"count": PINGS})
                yield Question(device.id, icmp, options, target_of(province, device, knowledge))
            yield from _of_ups(province, device, knowledge)


def _of_ups(province: Province, device: Device, knowledge: Knowledge) -> Iterator[Question]:
    for question in questions(province, [device], knowledge):
        if question.options.model_dump().get("mib") == "ups":
            yield question


def unfitness(reading: Reading) -> str:
    """Return why an office must be left alone by a reading of its UPS or of its gateway; "" when it need not."""
    if _metric(reading, "tuyen_probe_ups_on_battery"):
        return f"{reading.device}: {reading.reason}"
    loss = _metric(reading, "tuyen_probe_icmp_loss_ratio")
    if loss is None or not reading.heard:
        return ""
    if loss > MOST_LOSS:
        return _("its link is bad: {loss:.0%} of {count} pings are lost").format(loss=loss, count=PINGS)
    trip = _metric(reading, "probe_icmp_duration_seconds") or 0.0
    return _("its link is slow: {seconds:.1f} s a round trip").format(seconds=trip) if trip > SLOWEST else ""


def ask_query(expression: str) -> Verdict:
    """Return what Prometheus says: well when every series is other than 0; what it does not know pauses."""
    try:
        values = instant_query(os.environ.get(PROMETHEUS, NEAR), expression)
    except QueryError as error:
        return Verdict(Judgement.UNKNOWN, str(error))
    if not values or any(math.isnan(value) for value in values):
        return Verdict(Judgement.UNKNOWN, _("the query '{query}' has no value").format(query=expression))
    if 0 in values:
        return Verdict(Judgement.ILL, _("the query '{query}' answers 0").format(query=expression))
    return Verdict(Judgement.WELL)
