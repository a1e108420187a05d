"""What hier_config has to know of FRR's configuration language; as FRR 8 writes it."""

from hier_config.models import (
    IdempotentCommandsRule,
    MatchRule,
    NegationDefaultWithRule,
    OrderingRule,
    PerLineSubRule,
    SectionalExitingRule,
)
from hier_config.platforms.driver_base import HConfigDriverBase, HConfigDriverRules

# The first words of lines of which a section holds one only: a new one replaces the old one.
_SINGLE = {
    "interface ": (
        "description ",
        "ip ospf area ",
        "ip ospf cost ",
        "ip ospf dead-interval ",
        "ip ospf hello-interval ",
        "ip ospf network ",
        "ip ospf priority ",
        "ip ospf retransmit-interval ",
    ),
    "router ospf": ("auto-cost reference-bandwidth ", "default-metric ", "ospf router-id ", "timers throttle spf "),
    "router bgp ": ("bgp router-id ",),
}
_SINGLE_AT_TOP = ("frr defaults ", "hostname ", "log file ", "log syslog ", "log facility ", "log timestamp precision ")
_NOISE = (
    r"^Building configuration.*$",
    r"^Current configuration.*$",
    r"^frr version .*$",
    r"^ *!.*$",
    r"^end$",
    r"^ *exit(-address-family|-vrf)?$",
    r"^(no )?banner motd.*$",  # people see the banner of sshd; hier_config would look for the end of Cisco's
)


def _singles() -> list[IdempotentCommandsRule]:
    inside = [
        IdempotentCommandsRule(match_rules=(MatchRule(startswith=section), MatchRule(startswith=line)))
        for section, lines in _SINGLE.items()
        for line in lines
    ]
    return inside + [IdempotentCommandsRule(match_rules=(MatchRule(startswith=line),)) for line in _SINGLE_AT_TOP]


class FrrDriver(HConfigDriverBase):
    """FRR as vtysh shows it: a space of indentation, `exit` after sections, `no` before what is taken back."""

    @staticmethod
    def _instantiate_rules() -> HConfigDriverRules:
        return HConfigDriverRules(
            indentation=1,
            per_line_sub=[PerLineSubRule(search=pattern, replace="") for pattern in _NOISE],
            idempotent_commands=_singles(),
            negate_with=[
                NegationDefaultWithRule(match_rules=(MatchRule(startswith="log syslog"),), use="no log syslog"),
                NegationDefaultWithRule(
                    match_rules=(MatchRule(startswith="interface "), MatchRule(startswith="description ")),
                    use="no description",
                ),
            ],
            # A way that goes is taken last: new ones are there before.
            ordering=[OrderingRule(match_rules=(MatchRule(startswith="no ip route "),), weight=400)],
            sectional_exiting=[
                SectionalExitingRule(
                    match_rules=(MatchRule(startswith="router "), MatchRule(startswith="address-family ")),
                    exit_text="exit-address-family",
                )
            ],
        )
