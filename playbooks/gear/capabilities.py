"""What gear is to do for us, and how it is done on each platform: one literal table.

A capability that a platform's column lacks is not applicable there, and is told so. The lines and the files' contents
are the job's templates: `<platform>/<capability>.j2` and `<platform>/<name of the file>.j2`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from inventory.language import N_

Lineage = tuple[str, ...]  # the first words of a line, and before it those of the sections around it


class Capability(StrEnum):
    """What a job can ask of gear."""

    NTP = "ntp"
    SYSLOG = "syslog"
    SNMP = "snmp"
    SSH = "ssh"
    ACL = "acl"
    BANNER = "banner"
    ROUTING = "routing"
    VLANS = "vlans"
    PORTS = "ports"


TITLES: Mapping[Capability, str] = {
    Capability.NTP: N_("time (NTP)"),
    Capability.SYSLOG: N_("logs to the log server (syslog)"),
    Capability.SNMP: N_("monitoring (SNMPv3)"),
    Capability.SSH: N_("management by SSH only"),
    Capability.ACL: N_("access list on the management lines"),
    Capability.BANNER: N_("banner before login"),
    Capability.ROUTING: N_("routing"),
    Capability.VLANS: N_("VLANs"),
    Capability.PORTS: N_("ports"),
}


@dataclass(frozen=True, slots=True)
class File:
    """A file on the Linux side. `check` must accept a candidate at `$1` before it is put in place."""

    path: str
    mode: str = "0644"
    check: str = ""
    after: tuple[str, ...] = ()  # commands that make it hold


@dataclass(frozen=True, slots=True)
class How:
    """How a platform does one thing. What it `owns` and the template does not say is taken away."""

    owns: tuple[Lineage, ...] = ()
    files: tuple[File, ...] = ()
    proofs: tuple[str, ...] = ()  # commands of the Linux side, as root, that succeed when it works


_FORGET_SNMP_USERS = (  # snmpd keeps the users it has made, and would keep an old passphrase with them
    "systemctl stop snmpd; sed -i '/^usmUser/d' /var/lib/snmp/snmpd.conf; systemctl start snmpd"
)

HOW: Mapping[str, Mapping[Capability, How]] = {
    "frr": {
        Capability.NTP: How(
            files=(
                File(
                    "/etc/chrony/chrony.conf",
                    check='chronyd -p -f "$1" >/dev/null',
                    after=("systemctl enable --quiet chrony; systemctl restart chrony",),
                ),
            ),
            proofs=("systemctl is-active --quiet chrony && chronyc -n sources >/dev/null",),
        ),
        Capability.SYSLOG: How(
            owns=(("log syslog",), ("log facility",)),
            files=(
                File(
                    "/etc/rsyslog.d/tuyen.conf",
                    check='rsyslogd -N1 -f "$1"',
                    after=("systemctl enable --quiet rsyslog; systemctl restart rsyslog",),
                ),
            ),
            proofs=("systemctl is-active --quiet rsyslog",),
        ),
        Capability.SNMP: How(
            files=(
                File(
                    "/etc/snmp/snmpd.conf",
                    mode="0600",
                    after=("systemctl enable --quiet snmpd", _FORGET_SNMP_USERS),
                ),
            ),
            proofs=("systemctl is-active --quiet snmpd", "grep -q '^usmUser ' /var/lib/snmp/snmpd.conf"),
        ),
        Capability.SSH: How(
            files=(
                File(
                    "/etc/ssh/sshd_config.d/00-tuyen.conf",
                    check='sshd -t -f "$1"',
                    after=("sshd -t && systemctl reload ssh",),
                ),
            ),
            proofs=(
                "sshd -t && systemctl is-active --quiet ssh",
                'test -z "$(ss -ltnH sport = :23)"',  # no telnet
                'test -z "$(ss -ltnH "sport >= :2600 and sport <= :2620" | grep -vF 127.0.0.1: | grep -vF [::1]:)"',
            ),
        ),
        Capability.ACL: How(
            files=(
                File(
                    "/etc/nftables.conf",
                    mode="0755",
                    check='nft -c -f "$1"',
                    after=("nft -f /etc/nftables.conf", "systemctl enable --quiet nftables"),
                ),
            ),
            proofs=("nft list table inet management >/dev/null",),
        ),
        Capability.BANNER: How(files=(File("/etc/issue.net"),)),
        Capability.ROUTING: How(
            owns=(("ip route ",), ("router ospf",), ("interface ", "ip ospf ")),
            proofs=("systemctl is-active --quiet frr",),
        ),
        Capability.PORTS: How(owns=(("interface ", "description "),)),
    },
    "cisco_ios": {
        Capability.VLANS: How(owns=(("vlan ",),)),
        Capability.PORTS: How(owns=(("interface ", "description "), ("interface ", "switchport "))),
    },
}


def file_at(path: str) -> File:
    """Return what is known of the file at `path`; of an unknown one only where it is."""
    known = (file for column in HOW.values() for how in column.values() for file in how.files)
    return next((file for file in known if file.path == path), File(path))
