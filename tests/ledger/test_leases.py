"""Leases: one drives, the others are told who; whoever lost one cannot write any more."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from ledger import proc
from ledger.audit import entries, verify
from ledger.connection import Ledger, connect
from ledger.errors import LeaseHeldError, LeaseLostError
from ledger.leases import acquire, held, release, renew
from ledger.proc import began
from ledger.records import Actor, Draft, here
from ledger.rollout_history import events
from ledger.rollouts import append, create, lease_name
from ledger.schema import LEASE
from tests.clock import NOON
from tests.ledger.conftest import LAN, driving
from tests.ledger.test_rollouts import MINH, planned

NAME = "rollout x"


@pytest.fixture
def at(place: Path | str, ledger: Ledger) -> Iterator[Callable[[float], Ledger]]:
    """Open the ledger at so many seconds after noon, as a controller whose clock says so."""
    opened = []

    def open_at(seconds: float) -> Ledger:
        opened.append(connect(place, clock=lambda: NOON + timedelta(seconds=seconds)))
        return opened[-1]

    yield open_at
    for one in opened:
        one.close()


def of_another_machine(ledger: Ledger) -> None:
    """Make the lease one that a machine holds whose processes we cannot see."""
    with ledger.write() as connection:
        connection.execute(update(LEASE).values(host="controller-2", pid=1, space="another machine"))


def test_a_lease_is_held_until_it_is_given_back(ledger: Ledger) -> None:
    assert held(ledger, NAME) is None
    lease = acquire(ledger, NAME, actor=LAN, seconds=30)
    assert (lease.name, lease.token, lease.person, lease.host, lease.pid) == (
        NAME,
        1,
        "lan",
        socket.gethostname(),
        os.getpid(),
    )
    assert held(ledger, NAME) == lease
    with pytest.raises(LeaseHeldError):
        acquire(ledger, NAME, actor=LAN, seconds=30)  # not even by ourselves: two loops are two
    assert acquire(ledger, "another", actor=MINH, seconds=30).token == 1
    release(ledger, lease, actor=LAN)
    assert held(ledger, NAME) is None
    with pytest.raises(LeaseLostError, match=r"rollout x: nobody holds it, and we do not any more \(token 1\)"):
        renew(ledger, lease, seconds=30)
    again = acquire(ledger, NAME, actor=MINH, seconds=30)
    assert again.token > lease.token
    release(ledger, lease, actor=LAN)  # the old one: nothing happens to the new
    assert held(ledger, NAME) == again


def test_who_comes_second_is_told_who_holds_it(at: Callable[[float], Ledger]) -> None:
    acquire(at(0), NAME, actor=LAN, seconds=30)
    with pytest.raises(LeaseHeldError) as refused:
        acquire(at(29), NAME, actor=MINH, seconds=30)
    assert str(refused.value) == (
        f"rollout x is held by lan on {socket.gethostname()} (process {os.getpid()}) since"
        f" {here('2026-11-25T12:00:00Z')}; unless renewed, until {here('2026-11-25T12:00:30Z')}"
    )
    assert {"person", "host", "process", "since", "until"} <= set(refused.value.values)


def test_a_lease_that_ran_out_may_be_taken_and_the_old_holder_is_refused(at: Callable[[float], Ledger]) -> None:
    old = acquire(at(0), NAME, actor=LAN, seconds=30)
    assert renew(at(31), old, seconds=30).until == "2026-11-25T12:01:01.000000Z"  # nobody came: still ours
    with pytest.raises(LeaseHeldError):
        acquire(at(60), NAME, actor=MINH, seconds=30)
    new = acquire(at(61), NAME, actor=MINH, seconds=30)
    assert (new.token, new.person) == (old.token + 1, "minh")
    since = re.escape(here("2026-11-25T12:01:01Z"))
    told = rf"rollout x: we do not hold it any more \(token 1\): minh on .* took it {since}"
    with pytest.raises(LeaseLostError, match=told):
        renew(at(62), old, seconds=30)


def test_a_clock_that_jumps_does_not_make_two_holders(at: Callable[[float], Ledger]) -> None:
    rollout = planned(at(0))
    old = acquire(at(0), lease_name(rollout), actor=LAN, seconds=30)
    new = acquire(at(3600), lease_name(rollout), actor=MINH, seconds=30)  # jumped forward
    append(at(0), rollout, [Draft("started")], actor=MINH, token=new.token)  # and back
    for write in (
        lambda: renew(at(0), old, seconds=30),
        lambda: append(at(0), rollout, [Draft("started")], actor=LAN, token=old.token),
        lambda: acquire(at(0), lease_name(rollout), actor=LAN, seconds=30),
    ):
        with pytest.raises((LeaseLostError, LeaseHeldError)):
            write()
    assert renew(at(0), new, seconds=30).until == "2026-11-25T12:00:30.000000Z"
    assert [event.token for event in events(at(0), rollout)] == [new.token]


def test_an_old_holder_writes_nothing(ledger: Ledger) -> None:
    rollout = planned(ledger)
    old = acquire(ledger, lease_name(rollout), actor=LAN, seconds=0)
    append(ledger, rollout, [Draft("started")], actor=LAN, token=old.token)  # ran out, but nobody came
    new = acquire(ledger, lease_name(rollout), actor=MINH, seconds=30)
    with pytest.raises(LeaseLostError, match=f"rollout {re.escape(rollout)}: we do not hold it any more"):
        append(ledger, rollout, [Draft("dispatched", "box")], actor=LAN, token=old.token)
    append(ledger, rollout, [Draft("paused")], actor=LAN)  # people need no lease
    append(ledger, rollout, [Draft("dispatched", "box")], actor=MINH, token=new.token)
    release(ledger, new, actor=MINH)
    with pytest.raises(LeaseLostError, match="nobody holds it"):
        append(ledger, rollout, [Draft("reported", "box")], actor=MINH, token=new.token)
    with pytest.raises(LeaseLostError):
        append(ledger, rollout, [Draft("reported", "box")], actor=MINH, token=99)
    assert [(event.kind, event.token) for event in events(ledger, rollout)] == [
        ("started", old.token),
        ("paused", None),
        ("dispatched", new.token),
    ]


def test_a_lease_of_another_rollout_is_none_for_this(ledger: Ledger) -> None:
    one, other = planned(ledger), create(ledger, name="y", job="y", plan={}, actor=LAN)
    lease = acquire(ledger, lease_name(other), actor=LAN, seconds=30)
    with pytest.raises(LeaseLostError):
        append(ledger, one, [Draft("started")], actor=LAN, token=lease.token)


def test_the_audit_tells_who_drove_and_from_whom_it_was_taken(ledger: Ledger) -> None:
    acquire(ledger, NAME, actor=LAN, seconds=0)
    release(ledger, acquire(ledger, NAME, actor=MINH, seconds=30), actor=MINH)
    told = entries(ledger)
    assert [(entry.action, entry.actor.person) for entry in told] == [
        ("lease.acquire", "lan"),
        ("lease.acquire", "minh"),
        ("lease.release", "minh"),
    ]
    assert '"from":"lan"' in told[1].details
    assert list(verify(ledger)) == []


def test_a_dead_process_of_this_machine_holds_nothing(ledger: Ledger) -> None:
    lease = acquire(ledger, NAME, actor=LAN, seconds=3600)
    with ledger.write() as connection:  # its number was given to another process
        connection.execute(update(LEASE).values(began="1"))
    assert held(ledger, NAME) is None
    assert acquire(ledger, NAME, actor=MINH, seconds=30).token == lease.token + 1


@pytest.mark.skipif(os.geteuid() != 0, reason="root mounts /proc so that it hides")
def test_a_process_that_proc_hides_is_not_taken_for_dead() -> None:
    """Where people do not see each other's processes, another account's controller is there all the same."""
    code = Path(proc.__file__).read_text() + (  # of which another account need not be able to read the file
        "import sys\n"
        "print(Path('/proc', sys.argv[1]).exists(), is_gone(int(sys.argv[1]), sys.argv[2]), is_gone(2**22 + 1, '1'))"
    )
    script = 'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"'
    words = [sys.executable, "-c", code, str(os.getpid()), began(os.getpid())]
    done = subprocess.run(
        ["unshare", "--mount", "--", "sh", "-c", script, "sh", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd="/",
    )
    assert (done.stdout, done.stderr) == ("False False True\n", "")


def test_a_machine_that_cannot_be_seen_is_given_its_time(at: Callable[[float], Ledger]) -> None:
    acquire(at(0), NAME, actor=LAN, seconds=30)
    of_another_machine(at(0))
    with pytest.raises(LeaseHeldError, match=r"held by lan on controller-2 \(process 1\)"):
        acquire(at(29), NAME, actor=MINH, seconds=30)
    assert acquire(at(30), NAME, actor=MINH, seconds=30).token == 2


def test_after_kill_9_the_next_controller_goes_on_at_once(place: Path | str, ledger: Ledger) -> None:
    rollout = planned(ledger)
    with driving(place, rollout, "0", "hold") as controller:
        assert controller.stdout is not None
        assert controller.stdout.readline() == "lease 1\n"
        with pytest.raises(LeaseHeldError, match=rf"held by hold on .* \(process {controller.pid}\)"):
            acquire(ledger, lease_name(rollout), actor=LAN, seconds=30)
        controller.kill()
        controller.wait(30)
        assert acquire(ledger, lease_name(rollout), actor=LAN, seconds=30).token == 2


def test_of_two_controllers_that_start_at_once_one_wins(place: Path | str, ledger: Ledger) -> None:
    rollout = planned(ledger)
    with driving(place, rollout, "0", "hold") as one, driving(place, rollout, "0", "hold") as other:
        until = time.monotonic() + 60
        while one.poll() is None and other.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        loser, winner = (other, one) if one.poll() is None else (one, other)
        said, complained = loser.communicate(timeout=30)
        assert (said, loser.returncode) == ("", 1)
        assert f"rollout {rollout} is held by hold on " in complained
        assert f"(process {winner.pid}) since " in complained
        assert winner.poll() is None
        assert (lease := held(ledger, lease_name(rollout)))
        assert lease.pid == winner.pid


def test_a_lease_says_what_it_is(ledger: Ledger) -> None:
    lease = acquire(ledger, NAME, actor=Actor("lan\0", "lan"), seconds=30)
    assert lease.person == "lan\ufffd"
    assert replace(lease, token=2) != lease
