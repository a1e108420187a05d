"""The platforms that we have driven, one row each. A vendor's knowledge is here and in `capabilities` only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hier_config import Platform as Known
from hier_config import get_hconfig_driver
from hier_config.platforms.driver_base import HConfigDriverBase

from playbooks.gear.frr import FrrDriver


def _cisco_ios() -> HConfigDriverBase:
    return get_hconfig_driver(Known.CISCO_IOS)


@dataclass(frozen=True, slots=True)
class Platform:
    """How gear of one kind is spoken to. Patterns are regular expressions, searched line by line."""

    rules: Callable[[], HConfigDriverBase]  # hier_config's: what replaces, negates and closes what
    running: str  # shows the running configuration
    saved: str  # shows what it would start with; the file's path where there is a Linux below
    begins: str  # a line that a whole configuration has near its top
    ends: str  # the last line of a whole configuration
    rejects: str  # what it says to a line that it does not take
    permanent: str  # sections that cannot be removed, only emptied
    linux: bool = False  # there is a Linux below: files, services, and a revert by a timer


# FRR's command line is `vtysh`. We log in as an ordinary account of the router's Linux, with bash and sudo, and run
# vtysh ourselves on a channel of its own: one account and one connection for both sides, and the revert can be armed.
PLATFORMS: Mapping[str, Platform] = {
    "frr": Platform(
        rules=FrrDriver,
        running="show running-config",
        saved="/etc/frr/frr.conf",
        begins=r"^frr version ",
        ends=r"^end$",
        rejects=r"^% ?[A-Z].*$|^Error description: .*$|^line \d+: .*$",
        permanent=r"^interface ",
        linux=True,
    ),
    "cisco_ios": Platform(
        rules=_cisco_ios,
        running="show running-config",
        saved="show startup-config",
        begins=r"^Current configuration",
        ends=r"^end$",
        rejects=r"^% ?[A-Z].*$",
        permanent=r"^interface (?!Vlan|Loopback|Tunnel|Port-channel)|^vlan 1$",
    ),
}
