"""Sessions with real machines behind links that can be cut: passwords, sudo, silence, and jump hosts in between."""

import dataclasses
import time
from collections.abc import Iterator

import pytest

from playbooks.connection import connect
from playbooks.errors import ReachError
from tests.playbooks.inside_lab import Box, boxes

BOX, JUMP = "box.lower", "box.north"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Box]]:
    with boxes(tmp_path_factory.mktemp("far"), {BOX: "light", JUMP: "light"}) as made:
        yield made


@pytest.fixture
def box(lab: dict[str, Box]) -> Iterator[Box]:
    yield lab[BOX]
    lab[BOX].lab.restore()


def test_account_becomes_root_by_sudo(box: Box) -> None:
    with box.connect() as connection:
        assert connection.run("id -un").out == "tuyen\n"
        assert connection.run_as_root('id -un; echo "it\'s"; cat', stdin=b"in").out == "root\nit's\nin"
        assert connection.run_as_root("exit 1").code == 1


def test_password_lets_in(box: Box) -> None:
    box.root("useradd -m lan && echo 'lan:một mật khẩu' | chpasswd")
    login = dataclasses.replace(box.login, user="lan", key="", password="một mật khẩu")
    with connect(login, (), box.known_hosts) as connection:
        assert connection.run("id -un").out == "lan\n"
    with pytest.raises(ReachError, match="refuses the password for lan") as caught:
        connect(dataclasses.replace(login, password="một mật khác"), (), box.known_hosts)
    assert "mật" not in str(caught.value)


def test_device_that_is_cut_does_not_answer(box: Box) -> None:
    box.lab.cut([BOX])
    begun = time.monotonic()
    with pytest.raises(ReachError, match=r"no answer from 10\.\S+ port 22 within 2 s: off, unreachable"):
        box.connect(2.0)
    assert time.monotonic() - begun < 4


def test_device_that_is_cut_behind_a_jump_host(lab: dict[str, Box], box: Box) -> None:
    with connect(box.login, (lab[JUMP].login,), box.known_hosts) as connection:
        assert lab[JUMP].login.address in connection.run("echo $SSH_CLIENT").out
    box.lab.cut([BOX])
    with pytest.raises(ReachError, match=r"no answer from 10\.\S+ port 22 within 2 s"):
        connect(box.login, (lab[JUMP].login,), box.known_hosts, 2.0)


def test_jump_host_that_is_cut_is_named(lab: dict[str, Box], box: Box) -> None:
    box.lab.cut([JUMP])
    with pytest.raises(ReachError, match=r"jump host box\.north: no answer from"):
        connect(box.login, (lab[JUMP].login,), box.known_hosts, 2.0)


@pytest.mark.parametrize("jumps", [(), (JUMP,)])
def test_device_that_goes_away_in_mid_command(
    lab: dict[str, Box], box: Box, jumps: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playbooks.remote.PULSE", 1.0)
    with connect(box.login, [lab[jump].login for jump in jumps], box.known_hosts) as connection:
        assert connection.run("sleep 3; echo still there", patience=20).out == "still there\n"
        box.lab.cut([BOX])
        begun = time.monotonic()
        with pytest.raises(ReachError, match="went away in the middle: the link or the device failed"):
            connection.run("sleep 60")
        assert time.monotonic() - begun < 10


def test_short_cut_is_survived(box: Box) -> None:
    with box.connect() as connection:
        box.lab.cut([BOX])
        time.sleep(2)
        box.lab.restore()
        assert connection.run("echo well").out == "well\n"


def test_machine_that_loses_its_power(box: Box) -> None:
    with box.connect() as connection:
        box.lab.power(BOX, on=False)
        with pytest.raises(ReachError):
            connection.run("true", patience=3)
    box.lab.power(BOX, on=True)
    box.lab.wait_ssh([BOX], 30)
    assert box.root("id -un") == "root\n"
