"""One answer to one question: the target that was asked, the reading that came back, and its metrics' names."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple


class Metric(NamedTuple):
    """One sample: a name of `METRICS`, labels as pairs (`(("phase", "rtt"),)`), a value in base units."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


class Meaning(NamedTuple):
    """The metric's type, "gauge" or "counter", and its help text."""

    type: str
    help: str


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask: what a probe may know beyond its own options.

    `host_key` is the pinned key, "ssh-ed25519 AAAA..." (several lines: any of them), "" when none is pinned;
    `ca_file` is a PEM file trusted beside the system's own authorities; `secrets` are opened values by name.
    """

    address: str
    host_name: str = ""
    host_key: str = ""
    ca_file: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a probe found. `reason` is never empty; `asked` is False when this machine could not even ask.

    `heard` is True when anything at all came back from the device, be it a refusal: then it is alive.
    """

    success: bool
    reason: str
    degraded: bool = False
    metrics: tuple[Metric, ...] = ()
    asked: bool = True
    heard: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """One probe of one device: `seconds` it took, `at` which wall clock second it began.

    `success` False with `asked` False says nothing about the device: the fault is on this machine (a missing
    secret or privilege), so its state is unknown rather than down.
    """

    device: str
    module: str
    success: bool
    degraded: bool
    reason: str
    seconds: float
    at: float
    metrics: tuple[Metric, ...] = ()
    asked: bool = True
    heard: bool = True


def metric(name: str, value: float, **labels: str) -> Metric:
    """Make a sample of `name`."""
    return Metric(name, tuple(labels.items()), float(value))


def plain(text: str | bytes, limit: int = 120) -> str:
    """Return what a device said as one harmless line: no control, format or private characters, cut to `limit`."""
    decoded = text[: limit * 8].decode("utf-8", "replace") if isinstance(text, bytes) else text[: limit * 8]
    shown = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in decoded)
    line = " ".join(shown.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


METRICS: Mapping[str, Meaning] = MappingProxyType(
    {
        # Names that blackbox_exporter made known, with its meanings.
        "probe_success": Meaning("gauge", "Whether the probe succeeded."),
        "probe_duration_seconds": Meaning("gauge", "How long the probe took to complete."),
        "probe_ip_protocol": Meaning("gauge", "IP version of the probed address, 4 or 6."),
        "probe_dns_lookup_time_seconds": Meaning("gauge", "Time taken to look up the target's name."),
        "probe_icmp_duration_seconds": Meaning("gauge", "Duration of the ping by phase."),
        "probe_failed_due_to_regex": Meaning("gauge", "Whether the probe failed because of a pattern."),
        "probe_http_status_code": Meaning("gauge", "Status code of the last response."),
        "probe_http_duration_seconds": Meaning("gauge", "Duration of HTTP by phase, summed over redirects."),
        "probe_http_content_length": Meaning("gauge", "Length that the response declares, -1 when none."),
        "probe_http_uncompressed_body_length": Meaning("gauge", "Bytes of the body that were read."),
        "probe_http_redirects": Meaning("gauge", "Number of redirects followed."),
        "probe_http_ssl": Meaning("gauge", "Whether the last response came over TLS."),
        "probe_http_version": Meaning("gauge", "HTTP version of the last response."),
        "probe_ssl_earliest_cert_expiry": Meaning("gauge", "Unix time of the chain's first expiry."),
        "probe_tls_version_info": Meaning("gauge", "TLS version in use, as a label."),
        "probe_dns_duration_seconds": Meaning("gauge", "Duration of the DNS request by phase."),
        "probe_dns_query_succeeded": Meaning("gauge", "Whether a DNS answer came at all."),
        "probe_dns_answer_rrs": Meaning("gauge", "Records in the answer section."),
        "probe_dns_authority_rrs": Meaning("gauge", "Records in the authority section."),
        "probe_dns_additional_rrs": Meaning("gauge", "Records in the additional section."),
        # Names of our own, where blackbox_exporter has none.
        "tuyen_probe_icmp_loss_ratio": Meaning("gauge", "Echo requests without an answer, 0 to 1."),
        "tuyen_probe_certificate_expiry_timestamp_seconds": Meaning(
            "gauge", "Unix time at which the server's own certificate expires."
        ),
        "tuyen_probe_certificate_trusted": Meaning("gauge", "Whether chain, name and dates are all right."),
        "tuyen_probe_ssh_host_key_matches": Meaning("gauge", "Whether the host key is the pinned one."),
        "tuyen_probe_ntp_offset_seconds": Meaning("gauge", "The server's clock minus this machine's."),
        "tuyen_probe_ntp_round_trip_seconds": Meaning("gauge", "Round trip without the server's own time."),
        "tuyen_probe_ntp_stratum": Meaning("gauge", "Steps to a reference clock, 16 when unsynchronised."),
        "tuyen_probe_snmp_uptime_seconds": Meaning("gauge", "Seconds since the SNMP agent started."),
        "tuyen_probe_interface_up": Meaning("gauge", "Whether the interface is operating."),
        "tuyen_probe_interface_enabled": Meaning("gauge", "Whether the interface is switched on by its owner."),
        "tuyen_probe_interface_receive_bytes_total": Meaning("counter", "Bytes received on the interface."),
        "tuyen_probe_interface_transmit_bytes_total": Meaning("counter", "Bytes sent on the interface."),
        "tuyen_probe_ups_on_battery": Meaning("gauge", "Whether the UPS feeds its load from the battery."),
        "tuyen_probe_ups_battery_low": Meaning("gauge", "Whether the battery is low or empty."),
        "tuyen_probe_ups_on_battery_seconds": Meaning("gauge", "Seconds since the mains failed."),
        "tuyen_probe_ups_battery_charge_ratio": Meaning("gauge", "Charge of the battery, 0 to 1."),
        "tuyen_probe_ups_battery_remaining_seconds": Meaning("gauge", "Run time that the UPS estimates."),
        "tuyen_probe_ups_alarms": Meaning("gauge", "Alarms that the UPS has raised."),
    }
)
