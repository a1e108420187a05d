"""The jobs of small machines, on booted ones of the lab, with packages from its repository."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from playbooks.event import Change, Event, Note, Outcome
from tests.playbooks.conftest import Boot
from tests.playbooks.field import Field, changes, outcomes

ALL = "role=server,tier=commune"  # twenty, in two districts
BOXES = "office in (dong-1,dong-2,tay-2),role=server"  # three of them
ONE, OTHER, FAR = "box.dong-1", "box.dong-2", "box.tay-2"
SETS: dict[str, Any] = {
    "admin_sources": ["198.18.0.0/30", "10.91.0.0/24"],
    "log_server": "10.91.0.10",
    "open_ports": ["8080"],
}
DONE = dict.fromkeys((ONE, OTHER, FAR), (Outcome.DONE, ""))
ALL_DONE = dict.fromkeys([f"box.{district}-{n}" for district in ("dong", "tay") for n in range(1, 11)], DONE[ONE])
NEVER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH2zt8z9u2v1fS0e5u8yXw3p6b1m4t7k9q2r5s8v1x4z nobody"


@pytest.fixture(scope="module")
def boxes(boot: Boot) -> Iterator[Field]:
    field = boot(ALL)
    with field.mirror():
        yield field


@pytest.fixture(scope="module")
def first(boxes: Field) -> tuple[list[Event], list[Event]]:
    """What the first check and the first run told."""
    checked = boxes.perform("edge-baseline", "check", ALL, **SETS)
    return checked, boxes.perform("edge-baseline", "apply", ALL, **SETS)


def texts(events: Sequence[Event], device: str) -> list[tuple[str, str]]:
    return [(change.what, change.diff) for change in changes(events)[device]]


def notes(events: Sequence[Event], device: str) -> list[str]:
    return [event.text for event in events if isinstance(event, Note) and event.device == device]


def test_check_shows_exactly_what_then_changes(first: tuple[list[Event], list[Event]]) -> None:
    checked, applied = first
    assert outcomes(checked) == outcomes(applied) == ALL_DONE
    for device in ALL_DONE:
        expected = changes(checked)[device]
        later = {change.what for change in expected if not change.foreseen}
        assert later == {"Metrics exporter", "Log service", "Forwarding of logs in force"}
        done = texts(applied, device)
        assert [text for text in done if text[0] not in later] == [
            (change.what, change.diff) for change in expected if change.foreseen
        ]
        assert {what for what, _diff in done} <= {change.what for change in expected}
    assert "+PasswordAuthentication no" in dict(texts(checked, ONE))["SSH server settings"]


def test_people_get_in_where_they_may(boxes: Field, first: object) -> None:
    assert boxes.shell(ONE, "id -Gn lan dung hoa 2>&1 | sort").splitlines() == [
        "dung tuyen tuyen-operators",
        "id: ‘hoa’: no such user",
        "lan tuyen tuyen-operators",
    ]
    assert "no such user" in boxes.shell(FAR, "id dung 2>&1 || true")  # his offices are under dong
    assert boxes.shell(ONE, "runuser -u lan -- sudo -n id -u").strip() == "0"
    assert boxes.shell(ONE, "stat -c '%a %U' ~lan/.ssh ~lan/.ssh/authorized_keys").split() == [
        "700",
        "lan",
        "600",
        "lan",
    ]


def test_what_is_promised_is_in_force(boxes: Field, first: tuple[list[Event], list[Event]]) -> None:
    assert outcomes(boxes.perform("edge-baseline", "verify", BOXES, **SETS)) == DONE
    assert boxes.shell(ONE, "systemctl --failed --plain --no-legend") == ""
    active = boxes.shell(ONE, "systemctl is-active ssh nftables rsyslog prometheus-node-exporter").split()
    assert active == ["active"] * 4
    assert "passwordauthentication no" in boxes.shell(ONE, "sshd -T").splitlines()
    assert "node_uname_info" in boxes.run(["curl", "-s", "-m", "5", f"http://{address(boxes, ONE)}:9100/metrics"])
    assert boxes.shell(ONE, "date +%Z").strip() == "+07"
    assert any("chrony" in note for note in notes(first[1], ONE)), "a container may not set its clock; that is told"


def address(boxes: Field, device: str) -> str:
    return boxes.province.devices[device].address


def test_only_admins_and_named_ports_come_in(boxes: Field, first: object) -> None:
    knock = "timeout 2 bash -c '</dev/tcp/{}/{}' 2>&1; echo $?"
    assert boxes.shell(FAR, knock.format(address(boxes, ONE), 22)).strip().endswith("124"), "dropped in silence"
    assert boxes.shell(FAR, knock.format(address(boxes, ONE), 8080)).strip().endswith("1"), "open, and nobody there"
    assert "1 received" in boxes.shell(FAR, f"ping -c1 -W2 {address(boxes, ONE)}")


def test_a_second_run_changes_nothing(boxes: Field, first: object) -> None:
    for step in ("check", "apply"):
        told = boxes.perform("edge-baseline", step, ALL, **SETS)
        assert outcomes(told) == ALL_DONE
        assert changes(told) == {device: [] for device in ALL_DONE}


DRIFTS = {
    f"echo '{NEVER}' >> ~lan/.ssh/authorized_keys": "Account lan",
    "gpasswd -d dung tuyen-operators": "Account dung",
    "useradd -G tuyen left": "Accounts of those who left",
    "echo '%users ALL=(ALL) ALL' >> /etc/sudoers.d/tuyen-operators": "Operators may become root",
    "ln -sfn /usr/share/zoneinfo/UTC /etc/localtime": "Time zone",
    "chmod 666 /etc/sysctl.d/90-tuyen.conf": "Kernel settings",
    "echo SystemMaxUse=4G >> /etc/systemd/journald.conf.d/90-tuyen.conf": "Limits of the journal",
    "rm /etc/apt/sources.list.d/province.sources": "Packages from the province's archive",
    "systemctl disable rsyslog.service": "Log service",
    "echo PermitRootLogin yes >> /etc/ssh/sshd_config.d/00-tuyen.conf": "SSH server settings",
    "systemctl disable nftables.service": "Firewall at every boot",
    "nft add rule inet tuyen input accept": "Firewall rules in force",
}
FOLLOWS = {"Limits of the journal in force", "SSH server settings in force"}


def test_planted_drift_is_found_and_mended(boxes: Field, first: object) -> None:
    boxes.shell(ONE, "; ".join(DRIFTS))
    found = boxes.perform("edge-baseline", "check", BOXES, **SETS)
    assert {change.what for change in changes(found)[ONE]} == {*DRIFTS.values(), *FOLLOWS}
    assert f"-{NEVER}" in dict(texts(found, ONE))["Account lan"]
    mended = boxes.perform("edge-baseline", "apply", BOXES, **SETS)
    assert outcomes(mended) == DONE
    assert {device: texts(mended, device) for device in DONE} == {device: texts(found, device) for device in DONE}
    assert changes(boxes.perform("edge-baseline", "check", ONE, **SETS)) == {ONE: []}
    assert boxes.shell(ONE, "groups left").strip() == "left : left"
    assert boxes.shell(ONE, "getent shadow left | cut -d: -f8").strip() == "1", "shut out"


def test_what_was_removed_comes_back(boxes: Field, first: object) -> None:
    boxes.shell(OTHER, "apt-get -qq purge rsyslog; nft delete table inet tuyen; rm -rf ~lan/.ssh /etc/rsyslog.d")
    found = boxes.perform("edge-baseline", "check", OTHER, **SETS)
    expected = ["Account lan", "Forwarding of logs", "Packages", "Firewall rules in force"]
    assert [change.what for change in changes(found)[OTHER] if change.foreseen] == expected
    mended = boxes.perform("edge-baseline", "apply", OTHER, **SETS)
    assert outcomes(mended)[OTHER] == DONE[OTHER]
    assert [what for what, _diff in texts(mended, OTHER) if what != "Forwarding of logs in force"] == expected
    assert changes(boxes.perform("edge-baseline", "check", OTHER, **SETS)) == {OTHER: []}


def test_a_wrong_rule_is_refused_before_it_counts(boxes: Field, first: object) -> None:
    wrong = {**SETS, "admin_sources": ["198.18.0.0/33"]}
    told = boxes.perform("edge-baseline", "apply", ONE, **wrong)
    outcome, reason = outcomes(told)[ONE]
    assert outcome is Outcome.FAILED
    assert reason.startswith("'Firewall rules': /etc/nftables.conf.tuyen-new:")
    assert boxes.shell(ONE, "ls /etc/*.tuyen-new 2>/dev/null || true") == ""
    assert changes(boxes.perform("edge-baseline", "check", ONE, **SETS)) == {ONE: []}


def test_a_full_disk_fails_alone_and_spoils_nothing(boxes: Field, first: object) -> None:
    rules = boxes.shell(OTHER, "sha256sum /etc/nftables.conf")
    boxes.lab.fill_disk(OTHER)
    boxes.shell(OTHER, "cat /dev/zero > /var/lib/last-bytes 2>/dev/null || true")
    try:
        told = boxes.perform("edge-baseline", "apply", BOXES, **{**SETS, "open_ports": ["8080", "8081"]})
    finally:
        boxes.lab.fill_disk(OTHER, full=False)
        boxes.shell(OTHER, "rm /var/lib/last-bytes")
    ended = outcomes(told)
    assert (ended.pop(OTHER), set(ended.values())) == (
        (Outcome.FAILED, "'Firewall rules': the disk is full: make room, then run the job again"),
        {(Outcome.DONE, "")},
    )
    assert boxes.shell(OTHER, "sha256sum /etc/nftables.conf") == rules
    assert outcomes(boxes.perform("edge-baseline", "apply", BOXES, **SETS)) == DONE
    assert boxes.shell(OTHER, "ls -d /tmp/tmp.* /etc/*.tuyen-new 2>/dev/null || true") == "", "nothing of ours stays"


def test_the_agents_configuration(boxes: Field, first: object) -> None:
    url: dict[str, Any] = {"one_stop_url": "https://motcua.machines.example"}
    told = boxes.perform("agent-config", "check", ONE, **url)
    assert outcomes(told)[ONE][0] is Outcome.NOT_APPLICABLE
    boxes.shell(ONE, "apt-get -qq install one-stop-agent >/dev/null 2>&1")
    checked, applied, again = (
        boxes.perform("agent-config", step, ONE, counters="4", **url) for step in ("check", "apply", "apply")
    )
    assert texts(checked, ONE) == texts(applied, ONE) != []
    assert "+counters = 4" in dict(texts(applied, ONE))["Configuration of the agent"]
    assert changes(again) == {ONE: []}
    assert outcomes(boxes.perform("agent-config", "verify", ONE, **url)) == {ONE: (Outcome.DONE, "")}


def test_facts(boxes: Field, first: object) -> None:
    checked = boxes.perform("facts", "check", BOXES)
    assert outcomes(checked) == DONE
    assert not any(isinstance(event, Change) for event in checked)
    assert notes(checked, ONE)[0].startswith("Debian") or notes(checked, ONE)[0].startswith("Ubuntu")
    gathered = boxes.gather(BOXES)
    assert gathered.keys() == DONE.keys()
    told = gathered[ONE]
    assert (told["host_name"], told["system"]) == (ONE, "linux")
    (interface,) = told["interfaces"]
    assert interface["addresses"] == [f"{address(boxes, ONE)}/26"]
    assert told["gateway"] == "10.91.16.65"
    assert told["memory"] > 2**28
    assert told["kernel"] == boxes.shell(ONE, "uname -r").strip()
    assert told["boot_id"] == boxes.shell(ONE, "cat /proc/sys/kernel/random/boot_id").strip()
