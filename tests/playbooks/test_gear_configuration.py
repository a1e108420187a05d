"""From a running configuration to the lines that mend it, and back: pure functions on what real devices showed."""

from collections.abc import Iterable

import pytest

from playbooks.gear.capabilities import Lineage
from playbooks.gear.configuration import intended, remediation, whole
from playbooks.gear.errors import TemplateError, TruncatedError
from playbooks.gear.platforms import PLATFORMS, Platform
from playbooks.gear.untrusted import plain

FRR, IOS = PLATFORMS["frr"], PLATFORMS["cisco_ios"]
ROUTER = """Building configuration...

Current configuration:
!
frr version 8.4.4
frr defaults traditional
hostname router.dong
log syslog informational
no ipv6 forwarding
service integrated-vtysh-config
!
ip route 10.99.0.0/16 10.200.0.2
!
interface eth0
 ip ospf area 0
 ip ospf passive
exit
!
interface up0
 description to the province
 ip ospf area 0
 ip ospf cost 10
exit
!
router ospf
 ospf router-id 10.255.0.1
 redistribute static
exit
!
end
"""
SWITCH = """Building configuration...

Current configuration : 164 bytes
version 12.1
!
hostname switch
!
vlan 1
!
vlan 10
 name QUAY
!
interface FastEthernet0/1
 description box
 switchport access vlan 10
 switchport mode access
!
interface FastEthernet0/2
!
end
"""
ROUTING = (("ip route ",), ("router ospf",), ("interface ", "ip ospf "))
PORTS = (("interface ", "description "), ("interface ", "switchport "))


def lines(platform: Platform, running: str, owned: Iterable[Lineage], *pieces: str) -> list[str]:
    target = intended(platform, running, owned, pieces)
    return [line for section in remediation(platform, running, target) for line in section.lines]


def test_what_is_there_needs_nothing() -> None:
    routing = ROUTER[ROUTER.index("ip route") :].replace(" description to the province\n", "")
    assert lines(FRR, ROUTER, ROUTING, routing) == []
    assert lines(FRR, ROUTER, (), "") == []
    assert (
        lines(
            IOS,
            SWITCH,
            PORTS,
            "interface FastEthernet0/1\n description box\n switchport access vlan 10\n switchport mode access\n",
        )
        == []
    )


@pytest.mark.parametrize(
    ("owned", "piece", "sent"),
    [
        ((), "interface up0\n ip ospf cost 20\n", ["interface up0", " ip ospf cost 20", " exit"]),
        ((), "interface up0\n shutdown\n", ["interface up0", " shutdown", " exit"]),
        ((), "no ip route 10.99.0.0/16 10.200.0.2\n", ["no ip route 10.99.0.0/16 10.200.0.2"]),
        ((), "no ip route 10.98.0.0/16 10.200.0.2\n", []),
        ((), "no ipv6 forwarding\n", []),
        ((), "no router ospf\n", ["no router ospf"]),
        (
            (("ip route ",),),
            "ip route 10.97.0.0/16 10.200.0.2\n",
            ["ip route 10.97.0.0/16 10.200.0.2", "no ip route 10.99.0.0/16 10.200.0.2"],
        ),
        (
            (("router ospf",),),
            "router ospf\n ospf router-id 10.255.0.1\n",
            ["router ospf", " no redistribute static", " exit"],
        ),
        (
            (("interface ", "description "),),
            "interface eth0\n description LAN\n",
            ["interface eth0", " description LAN", " exit", "interface up0", " no description", " exit"],
        ),
    ],
)
def test_frr_is_sent_only_what_differs(owned: tuple[Lineage, ...], piece: str, sent: list[str]) -> None:
    assert sorted(lines(FRR, ROUTER, owned, piece)) == sorted(sent)


def test_new_ways_come_before_old_ones_go() -> None:
    sent = lines(FRR, ROUTER, (("ip route ",),), "ip route 0.0.0.0/0 10.200.0.6\n")
    assert sent == ["ip route 0.0.0.0/0 10.200.0.6", "no ip route 10.99.0.0/16 10.200.0.2"]


def test_interfaces_are_emptied_but_not_removed() -> None:
    bare = ROUTER.replace(" description to the province\n ip ospf area 0\n ip ospf cost 10\n", "")
    back = remediation(FRR, ROUTER, bare.replace("interface up0\nexit\n", ""))
    assert [section.title for section in back] == ["interface up0"]
    assert "no interface up0" not in [line for section in back for line in section.lines]


def test_vlans_that_are_not_named_go_and_vlan_1_stays() -> None:
    assert lines(IOS, SWITCH, (("vlan ",),), "vlan 20\n name MAY-IN\n") == [
        "no vlan 10",
        "vlan 20",
        "  name MAY-IN",
        "  exit",
    ]


@pytest.mark.parametrize(
    ("platform", "running", "target"),
    [
        (FRR, ROUTER, ROUTER.replace("cost 10", "cost 30").replace("redistribute static", "redistribute connected")),
        (FRR, ROUTER, ROUTER[: ROUTER.index("router ospf")] + "end\n"),
        (IOS, SWITCH, SWITCH.replace("vlan 10", "vlan 30").replace("description box", "description hộp")),
    ],
)
def test_round_trip(platform: Platform, running: str, target: str) -> None:
    there = remediation(platform, running, target)
    assert there
    pieces = ["".join(f"{line}\n" for line in section.lines if line.strip() != "exit") for section in there]
    arrived = intended(platform, running, (), pieces)
    assert remediation(platform, arrived, target) == ()
    back = remediation(platform, arrived, running)
    pieces = ["".join(f"{line}\n" for line in section.lines if line.strip() != "exit") for section in back]
    returned = intended(platform, arrived, (), pieces)
    assert remediation(platform, returned, running) == ()


@pytest.mark.parametrize("cut", range(0, len(ROUTER) - 4, 23))
def test_a_configuration_that_is_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(TruncatedError, match="cut short"):
        whole(FRR, ROUTER[:cut])


def test_a_configuration_without_a_beginning_is_refused() -> None:
    with pytest.raises(TruncatedError, match="no beginning"):
        whole(FRR, ROUTER[ROUTER.index("hostname") :])
    assert whole(IOS, SWITCH).endswith("end\n")


def test_a_section_twice_in_one_template_is_refused() -> None:
    with pytest.raises(TemplateError, match="interface eth0"):
        intended(FRR, ROUTER, (), ["interface eth0\n description a\ninterface eth0\n description b\n"])


def test_escape_sequences_and_controls_are_taken_out() -> None:
    assert plain("a\x1b[2Jb\x1b]0;title\x07c\r\nd\x08\x9be\u202ef\tg") == "abc\ndef\tg"
