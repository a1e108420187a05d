"""The certificate of a TLS port: read even when it is bad, and said why."""

import ssl

from exporters.probes.failure import ProbeError
from exporters.probes.stream import connected
from exporters.probes.trust import (
    Shown,
    common_name,
    complaints,
    context_of,
    inspected,
    metrics_of,
    name_for,
    secure,
    today,
)
from exporters.reading import Metric, Outcome, Target, metric, plain
from inventory.language import _
from inventory.modules import CertificateOptions


async def probe(target: Target, options: CertificateOptions) -> Outcome:
    """Shake hands as a strict client would; when that fails for the certificate, read it without trust."""
    name = name_for(target, options.server_name)
    try:
        async with connected(target.address, options.port) as stream:
            shown = await secure(stream, context_of(target.ca_file, verified=True), name)
    except ssl.SSLCertVerificationError as error:
        shown = await inspected(target, options.port, name, error)
        reason = "; ".join(complaints(shown, name, today()))
        raise ProbeError(reason, metrics=_metrics(shown, trusted=False)) from error
    return _judged(shown, name, options.days_warn)


def _judged(shown: Shown, name: str, days_warn: int) -> Outcome:
    until = min(item.not_valid_after_utc for item in shown.chain)
    days = (until - today()).days
    values = {"name": plain(name), "days": days, "until": until, "issuer": common_name(shown.leaf.issuer)}
    told = _("the certificate for {name} by {issuer} is good until {until:%Y-%m-%d}, {days} days left")
    if days < days_warn:
        told = _("the certificate for {name} expires on {until:%Y-%m-%d}: {days} days left, renew it")
    return Outcome(True, told.format(**values), degraded=days < days_warn, metrics=_metrics(shown, trusted=True))


def _metrics(shown: Shown, *, trusted: bool) -> tuple[Metric, ...]:
    until = shown.leaf.not_valid_after_utc.timestamp()
    return (
        *metrics_of(shown),
        metric("tuyen_probe_certificate_expiry_timestamp_seconds", until),
        metric("tuyen_probe_certificate_trusted", trusted),
    )
