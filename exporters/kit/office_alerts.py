"""Alerts about offices, their links and their devices."""

from exporters.kit.alert import Alert, Scope, Severity
from exporters.kit.recording import LINK_WINDOW
from inventory.language import N_

ALWAYS_ON = ("router", "switch", "firewall", "server", "windows-server", "hypervisor", "storage", "time-server", "ups")
MOST_LOSS = 0.1
SLOW, SLOW_SATELLITE = 0.3, 0.9  # seconds there and back
_WHO = "office, name, district, tier, cause"
_NAMED = "* on (office) group_left (name, district, parent) tuyen:office_state:held"


def _own(bad: str) -> str:
    """Leave out an office whose way is bad already above it: one bad link, one alert."""
    above = f'label_replace({bad}, "parent", "$1", "office", "(.+)")'
    return f"(({bad}) {_NAMED})\nunless on (parent) {above}"


_LOSS = f"(tuyen:link_loss:ratio{LINK_WINDOW} > {MOST_LOSS})"
_RTT = f"tuyen:link_rtt:seconds{LINK_WINDOW}"
_LATE = (
    f'({_RTT} > {SLOW_SATELLITE} or ({_RTT} > {SLOW} unless on (office) tuyen:office_state:held{{medium="satellite"}}))'
)

OFFICE_ALERTS = (
    Alert(
        name="OfficeDown",
        scope=Scope.OFFICE,
        severity=Severity.CRITICAL,
        rounds=2,
        lasts=2,
        expr=f'max by ({_WHO}) (tuyen:office_state:cause{{depth="0"}})',
        summary=N_("{name} ({office}) is down: nothing there answers"),
        advice=N_("Its link, its power or its router. Ask the office about power, then the provider about the line."),
    ),
    Alert(
        name="OfficeUnreachable",
        scope=Scope.OFFICE,
        severity=Severity.WARNING,
        rounds=4,
        expr=(
            f'max by ({_WHO}) (tuyen:office_state:cause{{depth!="0"}})\n'
            'or on (office) max by (office, name, district, tier) (tuyen:office_state:held{state="unreachable"})'
        ),
        summary=N_("{name} ({office}) cannot be reached: the way to it is down"),
        advice=N_("Nothing is known of the office itself. Mend what its way leads through."),
    ),
    Alert(
        name="DeviceDown",
        scope=Scope.DEVICE,
        severity=Severity.WARNING,
        rounds=20,
        kept=True,
        expr=(
            '(max by (device) (tuyen_device_state{state="down"} == 1)\n'
            "  * on (device) group_left (office, district, role) "
            f'tuyen:device:info{{role=~"{"|".join(ALWAYS_ON)}"}})\n'
            'unless on (office) tuyen:office_state:held{state=~"down|unreachable"}'
        ),
        summary=N_("{device} does not answer, although its office does"),
        advice=N_("The machine is off, hung or unplugged; ask the office to look at it."),
    ),
    Alert(
        name="LinkLoss",
        scope=Scope.LINK,
        severity=Severity.WARNING,
        seconds=300,
        expr=_own(_LOSS),
        summary=N_("The link of {name} ({office}) loses {percent} of the packets"),
        advice=N_("Loss over ten minutes on the way to its router. Tell the provider, or look at the radio."),
    ),
    Alert(
        name="LinkSlow",
        scope=Scope.LINK,
        severity=Severity.WARNING,
        seconds=300,
        expr=_own(_LATE),
        summary=N_("The link of {name} ({office}) is slow: {span} there and back"),
        advice=N_("The line is full or takes a detour. See what the office sends, then ask the provider."),
    ),
)
