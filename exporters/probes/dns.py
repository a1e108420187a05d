"""A name server: one question, the records of its answer."""

import struct
import time

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from exporters.probes.datagram import asked
from exporters.probes.failure import ProbeError, awaiting
from exporters.reading import Metric, Outcome, Target, metric, plain
from inventory.language import _
from inventory.modules import DnsOptions

LIVE = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


async def probe(target: Target, options: DnsOptions) -> Outcome:
    """Ask for `options.name`; without a name, for the device's own, where "no such name" is an answer too."""
    question = _question(options.name or target.host_name or "localhost", options.type)
    started = time.perf_counter()
    answer = await _answer(target.address, options.port, question)
    metrics = _metrics(answer, time.perf_counter() - started)
    if answer.rcode() not in (LIVE if not options.name else LIVE[:1]):
        raise ProbeError(_refusal(answer, options), metrics=metrics)
    if not options.name:
        return Outcome(True, _("the name server answers"), metrics=metrics)
    return _judged(answer, options, metrics)


def _question(name: str, kind: str) -> dns.message.QueryMessage:
    try:
        return dns.message.make_query(name, kind)
    except dns.exception.DNSException as error:
        reason = _("“{name}” cannot be asked for: {error}").format(name=plain(name), error=plain(str(error)))
        raise ProbeError(reason, asked=False) from error


async def _answer(address: str, port: int, question: dns.message.QueryMessage) -> dns.message.Message:
    # dnspython's own UDP socket is not connected and so never learns that a port is closed.
    wire = question.to_wire()
    silence = _("no answer from name server port {port}: it is off, unreachable, or does not serve us")
    try:
        with awaiting(port, silence.format(port=port)):
            packet = await asked(address, port, wire, lambda data: _answers(data, wire))
            answer = dns.message.from_wire(packet, ignore_trailing=True)
            if answer.flags & dns.flags.TC:
                answer = await dns.asyncquery.tcp(question, address, port=port)
    except (dns.exception.DNSException, ValueError, IndexError, struct.error) as error:
        told = _("port {port} answers, but not in DNS: {error}")
        detail = plain(str(error)) or type(error).__name__
        raise ProbeError(told.format(port=port, error=detail)) from error
    return answer


def _answers(data: bytes, wire: bytes) -> bool:
    return len(data) >= 12 and data[:2] == wire[:2] and data[2] & 0x80 == 0x80


def _refusal(answer: dns.message.Message, options: DnsOptions) -> str:
    code = dns.rcode.to_text(answer.rcode())
    said = {
        "NXDOMAIN": _("the name server does not know “{name}” (NXDOMAIN)"),
        "SERVFAIL": _("the name server cannot find out about “{name}” (SERVFAIL): look at its forwarders"),
        "REFUSED": _("the name server refuses to answer us (REFUSED): look at its access rules"),
    }
    told = said.get(code, _("the name server answers “{name}” with the error {code}"))
    return told.format(name=options.name, code=code)


def _judged(answer: dns.message.Message, options: DnsOptions, metrics: tuple[Metric, ...]) -> Outcome:
    kind = dns.rdatatype.from_text(options.type)
    records = [record.to_text() for found in answer.answer if found.rdtype == kind for record in found]
    values = {"name": options.name, "type": options.type, "expected": options.expect}
    shown = plain(", ".join(records)) or _("nothing")
    if not records:
        reason = _("the name server knows “{name}”, but has no {type} record of it").format(**values)
        raise ProbeError(reason, metrics=metrics)
    if options.expect and not any(_same(options.expect, record) for record in records):
        told = _("“{name}” is {shown}, not {expected} as it should be")
        raise ProbeError(told.format(shown=shown, **values), metrics=metrics)
    return Outcome(True, _("“{name}” is {shown}").format(shown=shown, **values), metrics=metrics)


def _same(expected: str, record: str) -> bool:
    return expected.casefold().rstrip(".").strip('"') == record.casefold().rstrip(".").strip('"')


def _metrics(answer: dns.message.Message, seconds: float) -> tuple[Metric, ...]:
    return (
        metric("probe_dns_duration_seconds", seconds, phase="request"),
        metric("probe_dns_query_succeeded", 1),
        metric("probe_dns_answer_rrs", sum(map(len, answer.answer))),
        metric("probe_dns_authority_rrs", sum(map(len, answer.authority))),
        metric("probe_dns_additional_rrs", sum(map(len, answer.additional))),
    )
