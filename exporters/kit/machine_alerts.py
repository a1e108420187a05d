"""Alerts about power, certificates, clocks and disks: what probes read, and what node_exporter tells of a server."""

from exporters.kit.alert import Alert, Scope, Severity
from inventory.language import N_

DAY = 86400
EARLY, SOON = 30 * DAY, 7 * DAY  # before a certificate ends
LOW_CHARGE = 0.2  # of a battery that runs
CLOCK_OFF = 0.5  # seconds of a time server
_DEVICE = "* on (device) group_left (office, district, role) tuyen:device:info"
_WORKED_ON = '(tuyen_device_state{state="maintenance"} == 1)'
_LEFT = "max by (device, about) (tuyen_probe_certificate_expiry_timestamp_seconds) - time()"
_NODE = "instance, office, district, role"
_KIND = 'fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|fuse.*|nfs.*"'
_AVAILABLE = f"node_filesystem_avail_bytes{{{_KIND}}} / node_filesystem_size_bytes{{{_KIND}}}"


def _about_device(bad: str) -> str:
    return f"({bad})\n  {_DEVICE}\nunless on (device) {_WORKED_ON}"


PROBE_ALERTS = (
    Alert(
        name="UpsOnBattery",
        scope=Scope.DEVICE,
        severity=Severity.WARNING,
        rounds=4,
        kept=True,
        expr=_about_device("max by (device) (tuyen_probe_ups_on_battery) == 1"),
        summary=N_("{device} runs on its battery: {office} has no mains"),
        advice=N_("When the battery is empty the office goes silent; that will be power, not the line."),
    ),
    Alert(
        name="UpsBatteryLow",
        scope=Scope.DEVICE,
        severity=Severity.CRITICAL,
        kept=True,
        expr=_about_device(
            "max by (device) (tuyen_probe_ups_battery_low) == 1\n"
            f"  or (max by (device) (tuyen_probe_ups_battery_charge_ratio) < {LOW_CHARGE}\n"
            "      and on (device) tuyen_probe_ups_on_battery == 1)"
        ),
        summary=N_("The battery of {device} is nearly empty"),
        advice=N_("Shut servers of {office} down in order, or bring a generator."),
    ),
    Alert(
        name="CertificateEnds",
        scope=Scope.DEVICE,
        severity=Severity.WARNING,
        rounds=4,
        expr=_about_device(f"{_LEFT} < {EARLY} > {SOON}"),
        summary=N_("The certificate of {device} {about} ends in {span}"),
        advice=N_("Renew it: tuyen run certificates {device}."),
    ),
    Alert(
        name="CertificateEndsSoon",
        scope=Scope.DEVICE,
        severity=Severity.CRITICAL,
        rounds=4,
        expr=_about_device(f"{_LEFT} <= {SOON}"),
        summary=N_("The certificate of {device} {about} ends within a week, or has ended ({span})"),
        advice=N_("Renew it now: tuyen run certificates {device}."),
    ),
    Alert(
        name="CertificateUntrusted",
        scope=Scope.DEVICE,
        severity=Severity.CRITICAL,
        rounds=4,
        expr=_about_device("max by (device, about) (tuyen_probe_certificate_trusted) == 0"),
        summary=N_("The certificate of {device} {about} is not to be trusted"),
        advice=N_("Its chain, its name or its dates are wrong; see: tuyen check {device}."),
    ),
    Alert(
        name="HostKeyChanged",
        scope=Scope.DEVICE,
        severity=Severity.CRITICAL,
        kept=True,
        expr=_about_device("max by (device) (tuyen_probe_ssh_host_key_matches) == 0"),
        summary=N_("{device} shows another host key than the pinned one"),
        advice=N_("Either it was installed anew, or somebody stands between. Find out before anyone logs in."),
    ),
    Alert(
        name="TimeServerOff",
        scope=Scope.DEVICE,
        severity=Severity.WARNING,
        seconds=900,
        expr=_about_device(f"max by (device) (abs(tuyen_probe_ntp_offset_seconds)) > {CLOCK_OFF}"),
        summary=N_("The clock of the time server {device} is off by {span}"),
        advice=N_("Signatures and logins fail when clocks differ; see: tuyen check {device}."),
    ),
)

NODE_ALERTS = (
    Alert(
        name="DiskFull",
        scope=Scope.DEVICE,
        severity=Severity.CRITICAL,
        seconds=300,
        expr=f"min by ({_NODE}, mountpoint) ({_AVAILABLE}) < 0.05",
        summary=N_("{instance}: only {percent} of {mountpoint} is free"),
        advice=N_("Services stop when it is full. Old logs and packages first."),
    ),
    Alert(
        name="DiskFills",
        scope=Scope.DEVICE,
        severity=Severity.WARNING,
        seconds=3600,
        expr=(
            f"min by ({_NODE}, mountpoint) ({_AVAILABLE}) < 0.3\n"
            f"and min by ({_NODE}, mountpoint) "
            f"(predict_linear(node_filesystem_avail_bytes{{{_KIND}}}[6h], {4 * DAY})) < 0"
        ),
        summary=N_("{instance}: {mountpoint} will be full within four days ({percent} free)"),
        advice=N_("See what grows there, and stop it or make room."),
    ),
    Alert(
        name="DiskReadOnly",
        scope=Scope.DEVICE,
        severity=Severity.CRITICAL,
        seconds=300,
        expr=f"max by ({_NODE}, mountpoint) (node_filesystem_readonly{{{_KIND}}}) == 1",
        summary=N_("{instance}: {mountpoint} can only be read"),
        advice=N_("The system gave up writing after an error of the disk. Save what is there, change the disk."),
    ),
    Alert(
        name="ClockOff",
        scope=Scope.DEVICE,
        severity=Severity.WARNING,
        seconds=900,
        expr=(
            f"max by ({_NODE}) (abs(node_timex_offset_seconds)) > 0.1\n"
            f"or max by ({_NODE}) (node_timex_maxerror_seconds) >= 16 "
            f"and on (instance) node_timex_sync_status == 0"
        ),
        summary=N_("The clock of {instance} is off or not synchronised"),
        advice=N_("See chronyc sources there, and whether it reaches the time servers."),
    ),
    Alert(
        name="NodeExporterSilent",
        scope=Scope.DEVICE,
        severity=Severity.WARNING,
        seconds=900,
        expr=(
            f'max by ({_NODE}) (up{{job="node"}}) == 0\nand on (office) tuyen:office_state:held{{state=~"up|degraded"}}'
        ),
        summary=N_("{instance} tells nothing of its disks and its clock"),
        advice=N_("node_exporter does not answer on port 9100; see: tuyen run baseline {instance} --dry-run."),
    ),
)
