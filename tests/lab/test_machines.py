"""Real machines: one logs in, reboots them, cuts their power and their lines, and fills their disks."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError, NotRealError, StartError
from lab.machines.chosen import light_kinds, usual_kinds
from tests.lab.conftest import Ask, asker
from tests.lab.machines import ADDRESS, BOOTED, KINDS, LIGHT, Login, machines
from tests.lab.small import small_province

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="real machines are made by root")
CONTROLLER = "198.18.0.1"
BOOT = "cat /proc/sys/kernel/random/boot_id"


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Login]:
    with machines(tmp_path_factory.mktemp("machines")) as login:
        yield login


@pytest.fixture(autouse=True)
def _mended(login: Login) -> Iterator[None]:
    yield
    login.lab.restore()


@pytest.fixture
def ask(login: Login) -> Ask:
    return asker(login.lab)


def test_each_lets_both_accounts_in_and_is_itself(login: Login) -> None:
    names = login.run_on(KINDS, "hostname; sudo -n id -un; id -un; cat /etc/machine-id /etc/ssh/ssh_host_*_key.pub")
    assert [lines.splitlines()[:3] for lines in names.values()] == [[name, "root", "tuyen"] for name in KINDS]
    own = [line for lines in names.values() for line in lines.splitlines()[3:]]
    assert len(own) == len(set(own)) == 3 * len(KINDS)
    assert login.run("box.north", "id -un", user="root") == "root"
    assert login.run("box.north", "true", user="nobody", check=False).endswith(
        "Permission denied (publickey,password)."
    )


def test_booted_ones_run_systemd_and_light_ones_sshd_only(login: Login) -> None:
    ready = login.run_on(BOOTED, "systemctl is-system-running --wait; systemctl --failed --no-legend --plain")
    assert ready == dict.fromkeys(BOOTED, "running")
    assert login.run_on(LIGHT, "cat /proc/1/comm") == dict.fromkeys(LIGHT, "sshd")
    assert login.run("box.north", "python3 -c 'import apt; print(apt.Cache()[\"sudo\"].is_installed)'") == "True"
    assert set(login.lab.status().machines.values()) == {"up"}


def test_machines_reach_each_other_the_played_ones_and_the_controller(login: Login) -> None:
    others = (ADDRESS["box.island"], ADDRESS["ups.north"], ADDRESS["router.north"], ADDRESS["web.hub"], CONTROLLER)
    answers = login.run("box.north", "".join(f"ping -q -c1 -W2 {address} | grep -c ' 0% '; " for address in others))
    assert answers.split() == ["1"] * len(others)
    assert login.run("box.north", "getent hosts box.island.small.example").split()[0] == ADDRESS["box.island"]


def test_there_is_no_way_out_of_a_machine(login: Login) -> None:
    reach = "timeout 2 bash -c 'echo > /dev/tcp/{}/443' 2>&1 | grep -o -m1 'Network is unreachable' | head -n1"
    assert login.run("box.north", reach.format("192.0.2.1")) == "Network is unreachable"
    assert login.run("box.south", reach.format("198.51.100.1")) == "Network is unreachable"
    undeclared = "timeout 1 bash -c 'echo > /dev/tcp/10.91.200.1/443'; echo $?"
    assert login.run("box.north", undeclared) == "124"  # it vanishes
    for name in ("box.north", "box.south"):
        assert login.run(name, "ls /sys/class/net") == "eth0\nlo"


def test_reboot_comes_back_anew(login: Login) -> None:
    login.run("box.upper", "echo kept > file; sudo nft add table inet planted")
    before, began = login.run("box.upper", BOOT), time.monotonic()
    login.run("box.upper", "sudo systemctl reboot", check=False)
    while login.run("box.upper", BOOT, check=False)[-36:] in (before, "") or not answers(login, "box.upper"):
        assert time.monotonic() < began + 30
        time.sleep(0.1)
    assert login.run("box.upper", BOOT) != before
    assert login.run("box.upper", "cat file; sudo nft list tables; cut -d. -f1 /proc/uptime").split()[0] == "kept"
    assert "planted" not in login.run("box.upper", "sudo nft list tables")


def answers(login: Login, machine: str) -> bool:
    try:
        login.lab.wait_ssh([machine], 0)
    except StartError:
        return False
    return True


def test_power_cut_and_on(login: Login, ask: Ask) -> None:
    login.run("box.island", "echo kept > file; nohup sleep 1000 > /dev/null 2>&1 &")
    before = login.run("box.island", BOOT)
    assert login.lab.power("box.island", on=False).machines["box.island"] == "off"
    assert ask("ping", addresses=[ADDRESS["box.island"]]) == {ADDRESS["box.island"]: [None]}
    assert ask("tcp", address=ADDRESS["box.island"], port=22, patience=0.5) == {"error": "TimeoutError"}
    with pytest.raises(StartError, match=r"no sshd answers within 0.2 s on: box\.island"):
        login.lab.wait_ssh(["box.island", "box.north"], 0.2)
    login.lab.power("box.island", on=True)
    login.lab.wait_ssh(["box.island"], 30)
    assert login.run("box.island", "cat file; pgrep -x sleep | wc -l").split() == ["kept", "0"]
    assert login.run("box.island", BOOT) != before
    assert login.lab.status().machines["box.island"] == "up"


def test_machine_that_is_shut_down_is_off(login: Login) -> None:
    login.run("box.island", "sudo systemctl poweroff", check=False)
    end = time.monotonic() + 20
    while login.lab.status().machines["box.island"] != "off":
        assert time.monotonic() < end
        time.sleep(0.1)
    login.lab.power("box.island", on=True)
    login.lab.wait_ssh(["box.island"], 30)


def test_light_machine_has_a_power_switch_too(login: Login) -> None:
    login.run("box.south", "echo kept > file")
    login.lab.power("box.south", on=False)
    login.lab.power("box.south", on=True)
    login.lab.wait_ssh(["box.south"], 20)
    assert login.run("box.south", "cat file") == "kept"


@pytest.mark.parametrize("part", ["box.north", "north", "north.uplink"])
def test_cut_silences_both_directions_without_a_trace(login: Login, ask: Ask, part: str) -> None:
    call = f"for i in $(seq 100); do echo here > /dev/udp/{CONTROLLER}/9999; sleep 0.1; done"
    login.run("box.north", f"nohup bash -c '{call}' > calls 2>&1 & nohup ping -i 0.2 -c 50 {CONTROLLER} > pings 2>&1 &")
    changes = login.run("box.north", "cat /sys/class/net/eth0/carrier_changes")
    assert ask("hear", port=9999, seconds=0.5)[ADDRESS["box.north"]] > 1
    login.lab.cut([part])
    assert ask("hear", port=9999, seconds=0.8) == {}
    assert ask("ping", addresses=[ADDRESS["box.north"]]) == {ADDRESS["box.north"]: [None]}
    assert ask("tcp", address=ADDRESS["box.north"], port=22, patience=0.5) == {"error": "TimeoutError"}
    login.lab.restore([part])
    assert ask("hear", port=9999, seconds=0.5)[ADDRESS["box.north"]] > 1
    assert login.run("box.north", "cat /sys/class/net/eth0/carrier_changes") == changes
    told = login.run("box.north", "sleep 1; pkill -x ping; pkill -f '[d]ev.udp'; cat calls pings")
    assert "nreachable" not in told
    assert "bytes from" in told


def test_connection_outlives_a_short_cut(login: Login) -> None:
    with subprocess.Popen(login.command("box.north", "cat"), stdin=-1, stdout=-1) as held:
        assert held.stdin
        assert held.stdout
        for line in (b"before\n", b"after\n"):
            held.stdin.write(line)
            held.stdin.flush()
            assert held.stdout.readline() == line
            login.lab.cut(["north"])
            time.sleep(0.5)
            login.lab.restore(["north"])
        held.stdin.close()


def test_cut_holds_over_a_power_cut(login: Login) -> None:
    login.lab.cut(["box.south"])
    login.lab.power("box.south", on=False)
    login.lab.power("box.south", on=True)
    with pytest.raises(StartError):
        login.lab.wait_ssh(["box.south"], 1)
    login.lab.restore(["box.south"])
    login.lab.wait_ssh(["box.south"], 20)


def test_loss_and_delay_towards_a_machine(login: Login, ask: Ask) -> None:
    login.lab.impair("north.uplink", delay=0.1, loss=0.3)
    sent = ask("ping", addresses=[ADDRESS["box.north"]], count=200)[ADDRESS["box.north"]]
    came = [seconds for seconds in sent if seconds is not None]
    assert 100 < len(came) < 180
    assert 0.1 < min(came) < 0.2


def seconds_for(login: Login, send: str, size: int) -> tuple[float, float]:
    """Return how long `size` bytes take to the machine, and from it."""
    began = time.monotonic()
    login.run(send, "cat > /dev/null", said=b"x" * size)
    to = time.monotonic()
    assert len(login.run(send, f"head -c {size} /dev/zero | tr '\\0' x")) == size
    return to - began, time.monotonic() - to


def test_rate_is_what_was_asked_in_both_directions(login: Login) -> None:
    for machine in ("box.north", "web.hub"):
        assert max(seconds_for(login, machine, 250_000)) < 1.5
    status = login.lab.impair("north.uplink", rate=1_000_000)
    assert status.impairments["north.uplink"].rate == 1_000_000
    for seconds in seconds_for(login, "box.north", 250_000):
        assert 1.9 < seconds < 4
    assert max(seconds_for(login, "box.upper", 100_000)) > 0.7  # it lies behind
    assert max(seconds_for(login, "box.south", 250_000)) < 1.5
    login.lab.restore()
    assert max(seconds_for(login, "box.north", 250_000)) < 1.5


def test_full_disk(login: Login) -> None:
    write = "head -c 1000000 /dev/zero > big; echo $?"
    login.lab.fill_disk("box.lower")
    assert "No space left on device" in login.run("box.lower", write)
    login.lab.fill_disk("box.lower", full=False)
    assert login.run("box.lower", write) == "0"


def test_only_real_machines_have_a_switch(login: Login) -> None:
    with pytest.raises(NotRealError, match=r"router\.north is no real machine in this lab"):
        login.lab.power("router.north", on=False)
    with pytest.raises(LabError, match=r"no office, link or device 'box\.nort'; the nearest: box\.north"):
        login.lab.fill_disk("box.nort")


def test_what_no_machine_can_play_is_refused_by_name() -> None:
    devices = small_province().devices
    assert usual_kinds([devices["box.north"]]) == {"box.north": "booted"}
    with pytest.raises(
        NotRealError, match=r"the lab has no machine for ups\.north \(no platform\); real ones are made"
    ):
        usual_kinds([devices["box.north"], devices["ups.north"]])
    with pytest.raises(NotRealError, match=r"no light machine can be router\.north \(no platform\)"):
        light_kinds([devices["router.north"]])


def test_machine_sees_nothing_of_the_host(login: Login) -> None:
    assert login.run("box.north", f"sudo ls {Path(__file__)}", check=False).endswith("No such file or directory")
    for name in ("box.north", "box.south"):
        processes = int(login.run(name, "ls -d /proc/[0-9]* | wc -l"))
        assert processes < 40
        assert login.run(name, "sudo find /sys/fs/cgroup -name 'm[0-9]*' -o -name 'tuyen*'") == ""
