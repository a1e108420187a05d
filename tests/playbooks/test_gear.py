"""Network gear in the lab: a real FRR router and a switch with Cisco's command line, driven as the engine does."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest
from gufo.snmp import Aes128Key, Sha256Key, SnmpError, User
from gufo.snmp.sync import SnmpSession
from gufo.snmp.user import KeyType

from inventory.keypair import ensure_key
from inventory.load import load
from inventory.model import Province
from inventory.selector import select_devices
from lab.machines.chosen import Machines, usual_kinds
from lab.practice import Lab, up
from playbooks.access import Access
from playbooks.batch import Batch
from playbooks.catalogue import find_job
from playbooks.connection import connect, scan
from playbooks.drivers.netmiko import perform
from playbooks.drivers.netmiko_session import open_cli
from playbooks.event import Change, Done, Event, Note, Outcome
from playbooks.gear.platforms import PLATFORMS
from playbooks.guard import Guard
from playbooks.job import Step
from playbooks.mask import Mask
from playbooks.target import Target
from playbooks.variables import values_of
from tests.playbooks.field import MACHINES
from tests.playbooks.inside_lab import standing_in
from tests.playbooks.loopback import pin

ROUTER, SWITCH = "router.dong", "switch.dong"
SECRETS = {"switch": "planted-switch-password", "auth": "planted-auth-phrase", "privacy": "planted-privacy-phrase"}
ACCESS = "  - {select: platform=cisco_ios, user: admin, password: {secret: switch}}\n"
VALUES: Mapping[str, Any] = {
    "log_server": "10.91.0.10",
    "admin_sources": ["10.91.0.0/16", "198.18.0.0/30"],  # the lab's keeper, beside us, sees whether it is up
    "snmp_user": "watch",
    "snmp_auth_password": {"secret": "auth"},
    "snmp_privacy_password": {"secret": "privacy"},
    "static_routes": [{"prefix": "0.0.0.0/0", "via": "eth0"}, {"prefix": "10.91.99.0/24", "via": "10.91.16.62"}],
    "ospf": {"router_id": "10.91.16.1", "interfaces": {"eth0": {"passive": "yes", "cost": "20"}}},
}
PORTS: Mapping[str, Any] = {
    "vlans": {"10": "QUAY", "20": "MAY-IN"},
    "ports": {
        "FastEthernet0/1": {"description": "box", "vlan": "10"},
        "GigabitEthernet0/1": {"description": "uplink", "trunk": ["10", "20"]},
    },
}
LEAN = {"router": {"ports": {"eth0": {"description": "LAN"}}}, "switch": PORTS}


@dataclass(frozen=True)
class Gear:
    """The router and the switch of Huyện Đông; the thread of the test stands where the controller is."""

    province: Province
    folder: Path
    lab: Lab

    def target(self, device: str, job: str = "gear-baseline", **sets: Any) -> Target:
        chosen = [self.province.devices[device]]
        usual = {**VALUES, **LEAN[device.partition(".")[0]], **sets}
        found = find_job(self.folder, job)
        known = {name: value for name, value in usual.items() if name in found.shape.variables}
        return Access(self.province, "tuyen", SECRETS).targets(chosen, values_of(self.province, found, chosen, known))[
            0
        ]

    def do(self, step: Step, *targets: Target, job: str = "gear-baseline", run: str = "run") -> list[Event]:
        folder, told = self.folder / ".tuyen" / "runs" / run, list[Event]()
        folder.mkdir(parents=True, exist_ok=True)
        perform(Batch(find_job(self.folder, job), step, targets, folder, told.append, Mask(SECRETS.values())))
        return told

    def step(self, step: Step, device: str, job: str = "gear-baseline", **sets: Any) -> list[Event]:
        """Do a step that goes well."""
        told = self.do(step, self.target(device, job, **sets), job=job)
        assert told[-1] == Done(device, Outcome.DONE)
        return told

    def shell(self, command: str) -> str:
        """Run a command as root on the router."""
        target = self.target(ROUTER)
        with connect(target.login, (), target.known_hosts) as connection:
            answer = connection.run_as_root(command)
        assert answer.ok, answer
        return answer.out

    def own_job(self, name: str, platform: str, lines: str, **fields: Any) -> str:
        """Write a job of the province's own: a template with lines to merge."""
        folder = self.folder / "jobs" / name
        (folder / platform).mkdir(parents=True)
        (folder / platform / "lines.j2").write_text(lines)
        shape = {"about": {"en": name}, "driver": "netmiko", "fits": f"platform={platform}", **fields}
        (folder / "job.yaml").write_text(json.dumps(shape))
        return name


@pytest.fixture(scope="module")
def gear(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gear]:
    folder = Path(shutil.copytree(MACHINES, tmp_path_factory.mktemp("gear") / "province"))
    with (folder / "province.yaml").open("a") as written:
        written.write(ACCESS)
    authorized, province = ensure_key(folder), load(folder)
    machines = Machines(usual_kinds(select_devices(province, f"id in ({ROUTER},{SWITCH})")), authorized)
    lab = up(province, folder / "lab", secrets=SECRETS, machines=machines, die_with_parent=True, patience=300)
    try:
        made = Gear(province, folder, lab)
        with standing_in(lab):
            for device in (ROUTER, SWITCH):
                target = made.target(device)
                pin(target.known_hosts, target.login, scan(target.login, (), target.known_hosts))
            yield made
    finally:
        lab.down()


def changes(told: list[Event]) -> list[Change]:
    return [event for event in told if isinstance(event, Change)]


@pytest.mark.parametrize("device", [ROUTER, SWITCH])
def test_first_run_does_what_the_check_foresaw_and_the_second_nothing(gear: Gear, device: str) -> None:
    foreseen = changes(gear.step(Step.CHECK, device))
    assert foreseen
    assert changes(gear.step(Step.CHECK, device)) == foreseen  # looking changes nothing
    assert changes(gear.step(Step.APPLY, device)) == foreseen
    gear.step(Step.VERIFY, device)
    assert changes(gear.step(Step.APPLY, device)) == []


def test_monitoring_logs_in_by_snmpv3_with_both_passphrases(gear: Gear) -> None:
    gear.step(Step.APPLY, ROUTER)

    def ask(phrase: str) -> object:
        auth = Sha256Key(phrase.encode(), KeyType.Password)
        privacy = Aes128Key(SECRETS["privacy"].encode(), KeyType.Password)
        user = User("watch", auth_key=auth, priv_key=privacy)
        with SnmpSession(gear.province.devices[ROUTER].address, user=user, timeout=2.0) as session:
            return session.get("1.3.6.1.2.1.1.5.0")

    assert ask(SECRETS["auth"]) == b"router.dong.machines.example"
    with pytest.raises((SnmpError, TimeoutError)):
        ask("another-phrase")


def test_what_a_platform_lacks_is_told(gear: Gear) -> None:
    notes = [event.text for event in gear.step(Step.CHECK, SWITCH) if isinstance(event, Note)]
    assert "not applicable: time (NTP) on cisco_ios" in notes
    assert len(notes) == 7
    notes = [event.text for event in gear.step(Step.CHECK, ROUTER) if isinstance(event, Note)]
    assert notes == ["not applicable: VLANs on frr"]


def test_drift_is_found_and_mended(gear: Gear) -> None:
    gear.step(Step.APPLY, ROUTER)
    gear.shell(
        "vtysh -c 'conf t' -c 'interface eth0' -c 'ip ospf cost 7' -c exit -c 'ip route 10.91.98.0/24 blackhole'"
    )
    gear.shell("sed -i s/iburst// /etc/chrony/chrony.conf; chmod 644 /etc/snmp/snmpd.conf")
    found = {change.what: change.diff for change in changes(gear.step(Step.APPLY, ROUTER))}
    assert found["interface eth0"] == "interface eth0\n ip ospf cost 20\n exit\n"
    assert found["no ip route 10.91.98.0/24 blackhole"]
    assert "+server 10.91.0.9 iburst" in found["/etc/chrony/chrony.conf"]
    assert "snmpd.conf (0644)" in found["/etc/snmp/snmpd.conf"]
    assert len(found) == 4
    gear.step(Step.VERIFY, ROUTER)


@pytest.mark.parametrize("device", [ROUTER, SWITCH])
def test_rollback_returns_to_what_was_before(gear: Gear, device: str) -> None:
    gear.step(Step.APPLY, device)
    before = _shown(gear, device)
    other = {"ports": {"eth0": {"description": "other"}}} if device == ROUTER else {"vlans": {"30": "KHO"}}
    for sets in (other, {**other, "banner": "Khác"}):
        assert gear.do(Step.APPLY, gear.target(device, **sets), run="later")[-1] == Done(device, Outcome.DONE)
    assert _shown(gear, device) != before
    told = gear.do(Step.ROLLBACK, gear.target(device), run="later")
    assert told[-1] == Done(device, Outcome.DONE)
    assert changes(told)
    assert _shown(gear, device) == before
    kept = gear.folder / ".tuyen" / "runs" / "later" / f"{device}.gear-baseline.before.json"
    assert kept.stat().st_mode & 0o777 == 0o600


def _shown(gear: Gear, device: str) -> str:
    target, platform = gear.target(device), gear.province.devices[device].platform
    with (
        connect(target.login, (), target.known_hosts) as connection,
        open_cli(connection, platform, PLATFORMS[platform], target.login.password) as cli,
    ):
        banner = connection.run_as_root("cat /etc/issue.net").out if device == ROUTER else ""
        return cli.show("show running-config") + banner


def test_a_line_that_is_refused_fails_the_device_and_is_taken_back(gear: Gear) -> None:
    lines = "interface eth0\n description half-way\n ip ospf cost 700000\n"
    job = gear.own_job("refused", "frr", lines)
    before = gear.shell("vtysh -c 'show running-config'")
    done = gear.do(Step.APPLY, gear.target(ROUTER, job), job=job)[-1]
    assert isinstance(done, Done)
    assert done.outcome is Outcome.FAILED
    assert done.reason.startswith("it did not take the line 'ip ospf cost 700000': % Unknown command")
    assert done.reason.endswith("what had been sent was taken back")
    assert gear.shell("vtysh -c 'show running-config'") == before


def test_a_file_that_its_service_refuses_is_not_put_in_place(gear: Gear) -> None:
    done = gear.do(Step.APPLY, gear.target(ROUTER, admin_sources=["10.91.0.0/99"]))[-1]
    assert isinstance(done, Done)
    assert done.outcome is Outcome.FAILED
    assert "/etc/nftables.conf was refused and is as it was" in done.reason
    assert "10.91.0.0/99" not in gear.shell("cat /etc/nftables.conf")


def test_a_router_that_shuts_its_own_uplink_returns_by_itself(gear: Gear) -> None:
    revert = {"after": "20 s", "paths": ["/etc/frr"], "commands": ["systemctl reload frr"]}
    job = gear.own_job("cut-off", "frr", "interface eth0\n shutdown\n", risk="cut-off", revert=revert)
    gear.step(Step.APPLY, ROUTER)
    target, run = gear.target(ROUTER, job), "20261125-cut-off"
    guard = Guard(find_job(gear.folder, job), run, Flag(), unguarded=False)
    until = guard.arm(target)
    assert until
    done = gear.do(Step.APPLY, target, job=job, run=run)[-1]
    assert isinstance(done, Done)
    assert done.outcome is Outcome.UNREACHABLE
    assert guard.undo(target, until) == ""
    assert datetime.now(UTC) >= until.replace(microsecond=0)
    assert changes(gear.step(Step.APPLY, ROUTER)) == []  # it is as the baseline left it
    assert "shutdown" not in gear.shell("cat /etc/frr/frr.conf")


def test_each_that_does_not_let_us_in_fails_by_itself(gear: Gear) -> None:
    router, switch = gear.target(ROUTER), gear.target(SWITCH)
    switch = replace(switch, login=replace(switch.login, password="wrong-password"))
    changed = replace(router, known_hosts=_exchanged(gear, router, switch))
    reasons = {event.device: event for event in gear.do(Step.CHECK, changed, switch) if isinstance(event, Done)}
    assert reasons[ROUTER].outcome is reasons[SWITCH].outcome is Outcome.UNREACHABLE
    assert reasons[ROUTER].reason.startswith("the host key has changed: pinned ")
    assert "password" in reasons[SWITCH].reason
    assert "wrong-password" not in reasons[SWITCH].reason


def _exchanged(gear: Gear, router: Target, switch: Target) -> Path:
    """Return pins by which the router should have the key of the switch."""
    lines = dict(line.split(" ", 1) for line in router.known_hosts.read_text().splitlines())
    path = gear.folder / "exchanged"
    path.write_text(f"{router.login.address} {lines[switch.login.address]}\n")
    return path


def test_one_that_takes_connections_and_is_silent_does_not_stop_the_others(gear: Gear) -> None:
    gear.shell("kill -STOP $(cat /run/sshd.pid)")
    ends = {
        event.device: event
        for event in gear.do(Step.CHECK, gear.target(ROUTER), gear.target(SWITCH))
        if isinstance(event, Done)
    }
    gear.lab.power(ROUTER, on=False)
    gear.lab.power(ROUTER, on=True)
    gear.lab.wait_ssh([ROUTER], 30)
    assert ends[SWITCH] == Done(SWITCH, Outcome.DONE)
    assert ends[ROUTER].outcome is Outcome.UNREACHABLE
    assert "silent" in ends[ROUTER].reason


def test_an_interrupted_step_ends_at_once(gear: Gear) -> None:
    stop, told = Flag(), list[Event]()
    stop.set()
    batch = Batch(
        find_job(gear.folder, "gear-baseline"),
        Step.APPLY,
        (gear.target(ROUTER),),
        gear.folder,
        told.append,
        Mask(()),
        stop,
    )
    perform(batch)
    assert told == [Done(ROUTER, Outcome.FAILED, "interrupted")]


def test_no_secret_is_in_what_is_told_or_kept_in_logs(gear: Gear) -> None:
    told = gear.step(Step.CHECK, ROUTER, snmp_user="other")
    assert "createUser other" in "".join(change.diff for change in changes(told))
    logs = "".join(path.read_text() for path in (gear.folder / ".tuyen" / "runs").glob("*/*.log"))
    for secret in SECRETS.values():
        assert secret not in str(told)
        assert secret not in logs
