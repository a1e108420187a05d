"""The baseline on three booted servers of two districts: it converges, stays, and finds and mends what drifts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from lab.wires import CONTROLLER
from playbooks.event import Change, Event, Note, Outcome
from tests.playbooks.conftest import Boot
from tests.playbooks.field import Field, changes, outcomes

SERVERS = ("second.dong", "server.dong", "server.tay")
SELECTOR = f"id in ({','.join(SERVERS)})"
SETS: Mapping[str, Any] = {"log_server": "10.91.0.10", "admin_sources": [f"{CONTROLLER}/32", "10.91.0.0/20"]}
DONE = dict.fromkeys(SERVERS, (Outcome.DONE, ""))
NOTHING: dict[str, list[Change]] = {device: [] for device in SERVERS}
Told = Mapping[str, Sequence[tuple[str, str]]]


@pytest.fixture(scope="module")
def field(boot: Boot) -> Iterator[Field]:
    made = boot(SELECTOR)
    with made.mirror():
        yield made


@pytest.fixture(scope="module")
def checked(field: Field) -> list[Event]:
    return step(field, "check")


@pytest.fixture(scope="module")
def applied(field: Field, checked: list[Event]) -> list[Event]:
    return step(field, "apply")


def step(field: Field, name: str, selector: str = SELECTOR, **sets: Any) -> list[Event]:
    return field.perform("baseline", name, selector, **{**SETS, **sets})


def foreseen(events: Sequence[Event]) -> Told:
    """Return what was told to change, and how, by device; in the order of their names."""
    return {
        device: sorted((change.what, change.diff) for change in told if change.foreseen)
        for device, told in changes(events).items()
    }


def later(events: Sequence[Event]) -> dict[str, set[str]]:
    return {device: {change.what for change in told if not change.foreseen} for device, told in changes(events).items()}


def test_first_run_changes_exactly_what_the_check_foresaw(checked: list[Event], applied: list[Event]) -> None:
    assert outcomes(checked) == outcomes(applied) == DONE
    put_off = later(checked)
    assert put_off == dict.fromkeys(SERVERS, put_off["server.dong"])
    done = {
        device: [(what, diff) for what, diff in told if what not in put_off[device]]
        for device, told in foreseen(applied).items()
    }
    assert done == foreseen(checked)
    assert all(len(told) > 30 for told in done.values())


def test_only_what_lies_behind_a_missing_package_is_put_off(checked: list[Event], applied: list[Event]) -> None:
    assert later(checked)["server.tay"] == {
        "Restart chrony",
        "Restart rsyslog",
        "Keep running: chrony.service",
        "Keep running: prometheus-node-exporter.service",
        "Keep running: rsyslog.service",
        "Keep running: unattended-upgrades.service",
    }


def test_what_the_machine_lacks_is_said_and_no_failure(checked: list[Event]) -> None:
    notes = [event.text for event in checked if isinstance(event, Note) and event.device == "server.tay"]
    assert any("does not let this machine audit" in text for text in notes)
    assert any("the clock of this machine belongs to its host" in text for text in notes)
    assert any("kernel.kptr_restrict" in text and "tcp_syncookies" not in text for text in notes)


def test_a_machine_that_cannot_audit_is_refused_where_that_is_required(field: Field, applied: list[Event]) -> None:
    ended = outcomes(step(field, "check", "server.tay", audit_required=True))
    outcome, reason = ended["server.tay"]
    assert outcome is Outcome.NOT_APPLICABLE
    assert "the kernel does not let this machine audit" in reason


def test_second_run_changes_nothing(field: Field, applied: list[Event]) -> None:
    told = step(field, "apply")
    assert changes(told) == NOTHING
    assert outcomes(told) == DONE


def test_it_works(field: Field, applied: list[Event]) -> None:
    assert outcomes(step(field, "verify")) == DONE
    metrics = field.run(["curl", "-s", "-m5", f"http://{field.province.devices['server.dong'].address}:9100/metrics"])
    assert "node_time_seconds" in metrics
    shell = field.shell
    assert "10.91.0.9" in shell("server.dong", "chronyc -n sources")
    assert "(ALL : ALL) NOPASSWD: ALL" in shell("server.dong", "sudo -l -U dung")
    assert shell("server.tay", "id dung; true") == ""  # he is of another district
    assert shell("server.tay", "date +%Z%z").strip() == "+07+0700"
    assert "suite=security" in shell("server.tay", "apt-config dump Unattended-Upgrade::Origins-Pattern")
    assert shell("server.tay", "apt-config dump Unattended-Upgrade::Origins-Pattern").count("::Origins-Pattern::") == 1
    assert shell("server.tay", "sysctl -n net.ipv4.conf.all.accept_redirects").strip() == "0"


def test_who_is_no_admin_is_kept_out(field: Field, applied: list[Event]) -> None:
    """From another district's server neither SSH nor metrics answer; ping does."""
    target = field.province.devices["server.tay"].address
    knock = 'for port in 22 9100; do timeout 2 bash -c "echo > /dev/tcp/{0}/$port" && echo $port; done; ping -qc1 {0}'
    said = field.shell("server.dong", knock.format(target) + "; true")
    assert "1 received" in said
    assert not {"22", "9100"} & set(said.split())


DRIFT = {
    "Let in with the roster's keys only: lan": "echo 'ssh-ed25519 AAAA stranger' >> /home/lan/.ssh/authorized_keys",
    "Let in with keys only": "sed -i '/^PasswordAuth/s/no/yes/' /etc/ssh/sshd_config.d/10-tuyen.conf",
    "Load the firewall's rules": "nft insert rule inet tuyen input accept",
    "Set in the kernel: net.ipv4.conf.all.accept_redirects": "sysctl -qw net.ipv4.conf.all.accept_redirects=1",
    "Set the time zone": "ln -sf /usr/share/zoneinfo/Etc/UTC /etc/localtime",
    "Keep running: prometheus-node-exporter.service": "systemctl stop prometheus-node-exporter",
    "Keep running: chrony.service": "systemctl disable -q --now chrony",
    "Install what is missing": "dpkg --purge logrotate >/dev/null",
    "Close the account that the roster does not name: mai": "useradd -mG tuyen mai",
    "Take the keys of the account that the roster does not name: mai": (
        "mkdir -p /home/mai/.ssh; echo 'ssh-ed25519 AAAA mai' > /home/mai/.ssh/authorized_keys"
    ),
}


def test_drift_is_found_and_mended(field: Field, applied: list[Event]) -> None:
    field.shell("server.dong", " && ".join(DRIFT.values()))
    found = step(field, "check", "server.dong")
    follows = "Reload the SSH daemon"
    assert {change.what for change in changes(found)["server.dong"]} == {*DRIFT, follows}
    mended = step(field, "apply", "server.dong")
    assert foreseen(mended) == foreseen(found)
    assert outcomes(mended)["server.dong"] == (Outcome.DONE, "")
    assert changes(step(field, "check", "server.dong")) == {"server.dong": []}
    assert "expires" in field.shell("server.dong", "chage -l mai").lower()
    assert "passwordauthentication no" in field.shell("server.dong", "sshd -T")


RECEIVE = r"""
printf 'module(load="imtcp")\ninput(type="imtcp" port="10514")\n' > /etc/rsyslog.d/00-receive.conf
systemctl restart rsyslog
nft insert rule inet tuyen input tcp dport 10514 accept
for second in $(seq 90); do grep -h waits-for-its-server /var/log/syslog && break; sleep 1; done
rm /etc/rsyslog.d/00-receive.conf
systemctl restart rsyslog
nft -f /etc/nftables.conf
"""


def test_logs_wait_until_their_server_is_there(field: Field, applied: list[Event]) -> None:
    """The practice province's log server takes no logs: second.dong does, for a moment, by rsyslog itself."""
    sets = {"log_server": field.province.devices["second.dong"].address, "log_port": "10514"}
    assert outcomes(step(field, "apply", "server.dong", **sets))["server.dong"] == (Outcome.DONE, "")
    field.shell("server.dong", "logger -t probe waits-for-its-server; systemctl restart rsyslog")
    assert "server.dong probe" in field.shell("second.dong", RECEIVE, seconds=120)
