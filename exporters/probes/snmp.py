"""SNMP v2c: the agent answers, its uptime, its interfaces, the battery of a UPS (RFC 1628)."""

import errno
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

from gufo.snmp import NoSuchInstance, SnmpError, SnmpVersion
from gufo.snmp.aio import SnmpSession

from exporters.probes.failure import ProbeError, awaiting
from exporters.probes.ups import BATTERY, judged
from exporters.reading import Metric, Outcome, Target, metric, plain
from inventory.language import _
from inventory.modules import SnmpOptions

MOST_INTERFACES = 512
SYS_NAME, SYS_UPTIME = "1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.1.3.0"
IF_DESCRIPTION, IF_NAME = "1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.31.1.1.1.1"
UP = 1  # of ifAdminStatus and ifOperStatus
# metric -> column of IF-MIB, whether it holds a status
COLUMNS = {
    "tuyen_probe_interface_enabled": ("1.3.6.1.2.1.2.2.1.7", True),
    "tuyen_probe_interface_up": ("1.3.6.1.2.1.2.2.1.8", True),
    "tuyen_probe_interface_receive_bytes_total": ("1.3.6.1.2.1.31.1.1.1.6", False),
    "tuyen_probe_interface_transmit_bytes_total": ("1.3.6.1.2.1.31.1.1.1.10", False),
}
Value: TypeAlias = str | bytes | int | float | None
Ask: TypeAlias = Callable[[SnmpSession], Awaitable[Outcome]]


async def probe(target: Target, options: SnmpOptions) -> Outcome:
    """Ask for what `options.mib` names, with the community that the secret holds."""
    community = target.secrets.get(options.community.secret)
    if not community:
        told = _("the secret “{name}” is missing: add the SNMP community to secrets.yaml")
        raise ProbeError(told.format(name=options.community.secret), asked=False)
    silence = _("no answer from SNMP port {port}: it is off or unreachable, or the community is wrong")
    try:
        with awaiting(options.port, silence.format(port=options.port)), _numbered():
            session = SnmpSession(target.address, options.port, community, version=SnmpVersion.v2c, timeout=3600)
            return await ASKED[options.mib](session)
    except (SnmpError, ValueError, RuntimeError) as error:
        told = _("port {port} answers, but not in SNMP as it should: {error}")
        detail = plain(str(error)) or type(error).__name__
        raise ProbeError(told.format(port=options.port, error=detail)) from error


@contextmanager
def _numbered() -> Iterator[None]:
    """Give the library's network errors their number back: it keeps it in the text only."""
    try:
        yield
    except TimeoutError as error:
        # Its own time-out lies beyond ours: this is how it calls an answer that nobody listens.
        raise ConnectionRefusedError(errno.ECONNREFUSED, str(error)) from error
    except OSError as error:
        number = re.search(r"os error (\d+)", str(error))
        raise OSError(int(number[1]) if number else 0, str(error)) from error


async def _system(session: SnmpSession) -> Outcome:
    values = await session.get_many([SYS_NAME, SYS_UPTIME])
    seconds = _number(values, SYS_UPTIME) / 100
    name = _text(values.get(SYS_NAME)) or _("the agent")
    told = _("{name} has been up for {days:.1f} days")
    return Outcome(True, told.format(name=name, days=seconds / 86400), metrics=_uptime(seconds))


async def _interfaces(session: SnmpSession) -> Outcome:
    seconds = _number(await session.get_many([SYS_UPTIME]), SYS_UPTIME) / 100
    names = await _column(session, IF_NAME) or await _column(session, IF_DESCRIPTION)
    labels = _labels(names)
    metrics: list[Metric] = [*_uptime(seconds)]
    for name, (oid, status) in COLUMNS.items():
        for index, value in (await _column(session, oid)).items():
            if index in labels and isinstance(value, int):
                metrics.append(metric(name, value == UP if status else value, interface=labels[index]))
    up = sum(item.value for item in metrics if item.name == "tuyen_probe_interface_up")
    told = _("{up:.0f} of {all} interfaces are up").format(up=up, all=len(labels))
    return Outcome(True, told, metrics=tuple(metrics))


def _labels(names: Mapping[str, Value]) -> dict[str, str]:
    """Return a name for each index, the index itself added where two would be the same series."""
    shown = {index: _text(value) or index for index, value in names.items()}
    twice = {name for name in shown.values() if list(shown.values()).count(name) > 1}
    return {index: f"{name}#{index}" if name in twice else name for index, name in shown.items()}


async def _ups(session: SnmpSession) -> Outcome:
    values = await session.get_many(list(BATTERY.values()))
    numbers = {name: _number(values, oid) for name, oid in BATTERY.items() if isinstance(values.get(oid), int)}
    if not numbers:
        raise ProbeError(_("the agent answers, but knows nothing of a UPS (UPS-MIB)"))
    return judged(numbers)


ASKED: Mapping[str, Ask] = {"system": _system, "interfaces": _interfaces, "ups": _ups}


async def _column(session: SnmpSession, oid: str) -> dict[str, Value]:
    """Return a column by index, `MOST_INTERFACES` rows at most, whatever the agent goes on to say."""
    column: dict[str, Value] = {}
    rows = session.getbulk(oid, max_repetitions=50)
    for _row in range(MOST_INTERFACES):
        try:
            found, value = await anext(rows)
        except (StopAsyncIteration, NoSuchInstance):
            break
        index = found.removeprefix(oid + ".")
        if index == found or index in column:  # out of the column, or going round in it
            break
        column[index] = value
    return column


def _number(values: Mapping[str, Value], oid: str) -> float:
    value = values.get(oid)
    if not isinstance(value, int | float):
        raise ProbeError(_("the agent answers, but does not tell {oid}").format(oid=oid))
    return float(value)


def _text(value: Value) -> str:
    return plain(value, 60) if isinstance(value, bytes | str) else ""


def _uptime(seconds: float) -> tuple[Metric, ...]:
    return (metric("tuyen_probe_snmp_uptime_seconds", seconds),)
