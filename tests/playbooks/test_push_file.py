"""push-file against OpenSSH on loopback: what is there, what is sent, and what is said."""

import dataclasses
import hashlib
import os
import random
import re
import signal
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from playbooks.event import Change, Doing, Done, Note, Outcome
from playbooks.job import Step, read_job
from playbooks.parcel import parcel_for
from tests.exporters.daemons import free_port
from tests.playbooks.loopback import Server, key_pair, public
from tests.playbooks.pushing import Push

JOB = read_job(Path(__file__).parents[2] / "playbooks" / "jobs" / "push-file")
SIZE = 1_000_003
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the owner of files is root's to give")


@pytest.fixture
def push(server: Server, tmp_path: Path) -> Push:
    (tmp_path / "disk").mkdir()
    push = Push(tmp_path, server.login(), tmp_path / "disk" / "router.bin", SIZE)
    server.pinned(push.known_hosts)
    return push


def assert_there(push: Push) -> None:
    assert push.path.read_bytes() == push.source.read_bytes()
    assert list(push.path.parent.iterdir()) == [push.path]


def test_new_file_is_foreseen_put_and_verified(push: Push) -> None:
    assert push.perform(Step.CHECK).outcome is Outcome.DONE
    (foreseen,) = push.changes()
    assert foreseen.what == f"put firmware.bin at {push.path}"
    assert foreseen.diff == f"+{push.path} sha256 {push.digest}, {SIZE} bytes\n"
    assert list(push.path.parent.iterdir()) == []
    assert push.perform(Step.VERIFY) == Done("box.test", Outcome.FAILED, f"{push.path} is not the file that was sent")
    assert push.perform(Step.APPLY, mode="640", owner="daemon:adm").outcome is Outcome.DONE
    assert push.changes() == [foreseen]
    assert push.payload() == SIZE
    assert_there(push)
    found = push.path.stat()
    assert (stat.S_IMODE(found.st_mode), push.path.owner(), push.path.group()) == (0o640, "daemon", "adm")
    assert push.perform(Step.VERIFY, mode="0640", owner="daemon").outcome is Outcome.DONE


def test_second_time_there_is_nothing_to_do(push: Push) -> None:
    push.perform(Step.APPLY)
    before = push.path.stat()
    assert push.perform(Step.CHECK).outcome is Outcome.DONE
    assert push.changes() == []
    assert push.perform(Step.APPLY).outcome is Outcome.DONE
    assert push.changes() == []
    assert push.path.stat().st_mtime_ns == before.st_mtime_ns


def test_other_file_is_replaced_and_other_mode_mended(push: Push) -> None:
    push.path.write_text("old")
    push.perform(Step.CHECK)
    assert push.changes()[0].diff.splitlines()[0].endswith(f"sha256 {hashlib.sha256(b'old').hexdigest()}, 3 bytes")
    push.perform(Step.APPLY)
    assert_there(push)
    push.path.chmod(0o777)
    push.perform(Step.CHECK)
    assert push.changes() == [Change("box.test", f"mode and owner of {push.path}", "-0777 root:root\n+0644 root\n")]
    push.perform(Step.APPLY)
    assert stat.S_IMODE(push.path.stat().st_mode) == 0o644


@pytest.mark.parametrize("arrived", [0, 1, 70_000, SIZE - 1, SIZE])
def test_unfinished_file_is_gone_on_with(push: Push, arrived: int) -> None:
    push.part.write_bytes(push.source.read_bytes()[:arrived])
    push.perform(Step.CHECK)
    notes = [event.text for event in push.told if isinstance(event, Note)]
    assert notes == ([f"{push.path}: goes on at byte {arrived}"] if arrived else [])
    assert push.perform(Step.APPLY).outcome is Outcome.DONE
    assert push.payload() == SIZE - arrived
    assert_there(push)


def test_only_the_right_beginning_is_gone_on_with(push: Push) -> None:
    """After a power cut a file may end in zeros that were never sent."""
    push.part.write_bytes(push.source.read_bytes()[:600_000] + bytes(100_000))
    assert push.perform(Step.APPLY).outcome is Outcome.DONE
    assert SIZE - 600_000 <= push.payload() <= SIZE - 600_000 + 65536
    assert_there(push)


def test_longer_or_foreign_parts_do_no_harm(push: Push) -> None:
    push.part.write_bytes(push.source.read_bytes() + b"more")
    Path(f"{push.path}.part-0123456789abcdef").write_text("another version's")
    assert push.perform(Step.APPLY).outcome is Outcome.DONE
    assert push.payload() < 70_000
    assert_there(push)


def test_empty_file_is_a_file(push: Push) -> None:
    push.source.write_bytes(b"")
    assert push.perform(Step.APPLY).outcome is Outcome.DONE
    assert_there(push)


def test_sessions_that_break_are_begun_anew(push: Push, server: Server) -> None:
    """Sessions are killed while sending: payload stays within 1.05 times the file."""
    push.source.write_bytes(random.Random(8).randbytes(4_000_000))

    def kill(count: int) -> None:
        """Kill every session at work, each after it has sent for a while."""
        listening, killed, dead, above = (server.folder / "pid").read_text().strip(), 0, set[str](), 0
        while killed < count:
            size = push.part.stat().st_size if push.part.exists() else 0
            if size > above + 600_000:
                children = Path(f"/proc/{listening}/task/{listening}/children").read_text().split()
                sessions = set(children) - dead  # a dead one stays a child for a while
                for session in sessions:
                    os.kill(int(session), signal.SIGKILL)
                dead |= sessions
                killed += bool(sessions)
                above = push.part.stat().st_size
            time.sleep(0.01)

    killing = threading.Thread(target=kill, args=(3,))
    killing.start()
    assert push.perform(Step.APPLY, rate=4_000).outcome is Outcome.DONE  # so slow that the killer is in time
    killing.join(10)
    assert 4_000_000 <= push.payload() <= 4_000_000 * 1.05
    assert "in 4 sessions" in next(event.text for event in push.told if isinstance(event, Note))
    assert_there(push)


def test_rate_is_kept(push: Push) -> None:
    begun = time.monotonic()
    assert push.perform(Step.APPLY, rate=4_000).outcome is Outcome.DONE
    assert 1.0 < time.monotonic() - begun < 20  # a megabyte at 500 kB/s, of which a second's worth may come at once


def test_half_of_the_uplink_is_shared_by_the_office(push: Push) -> None:
    values: dict[str, Any] = {"rate": None, "tuyen": {"bandwidth": 16_000_000}}
    other = dataclasses.replace(push.login, device="box-2.test")
    for sharing, expected in ((1, 1_000_000), (2, 500_000)):
        assert parcel_for(push.target(other, values), sharing).rate == expected


def test_interruption_keeps_what_has_arrived(push: Push) -> None:
    threading.Timer(1.0, push.stop.set).start()
    ended = push.perform(Step.APPLY, rate=1_600)
    assert (ended.outcome, ended.reason) == (Outcome.FAILED, "interrupted")
    assert not push.path.exists()
    arrived = push.part.stat().st_size
    assert 100_000 < arrived < SIZE
    push.stop.clear()
    assert push.perform(Step.APPLY).outcome is Outcome.DONE
    assert push.payload() == SIZE - arrived


def test_time_that_is_over(push: Push) -> None:
    ended = push.perform(Step.APPLY, rate=1_600, timeout=1.0)
    assert (ended.outcome, ended.reason) == (Outcome.FAILED, "not there within 1 s; the next run goes on")
    assert not push.path.exists()


def test_source_that_changes_meanwhile_is_never_put(push: Push) -> None:
    threading.Timer(0.8, lambda: push.source.write_bytes(b"x" * SIZE)).start()
    ended = push.perform(Step.APPLY, rate=4_000)
    assert (ended.outcome, ended.reason) == (Outcome.FAILED, "firmware.bin was changed while it was sent")
    assert not push.path.exists()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"path": "/no/such/folder/x"}, "there is no folder /no/such/folder on the device"),
        ({"path": "/usr"}, "/usr is a folder there; write the file's full name"),
        ({"path": "relative"}, "the variable 'path' is 'relative'; write the file's full name on the device"),
        ({"owner": "nobody-here"}, "the device has no account or group 'nobody-here'"),
        ({"owner": "root:nobody-here"}, "the device has no account or group 'root:nobody-here'"),
        ({"owner": "a b"}, "the variable 'owner' is 'a b'; write it like root:adm"),
        ({"mode": "rw"}, "the variable 'mode' is 'rw'; write it like 0644"),
    ],
)
def test_what_cannot_be_is_said_before(push: Push, values: dict[str, Any], reason: str) -> None:
    for step in (Step.CHECK, Step.APPLY):
        ended = push.perform(step, **values)
        assert (ended.outcome, ended.reason) == (Outcome.FAILED, reason)


def test_missing_source_is_named(push: Push) -> None:
    ended = push.perform(Step.CHECK, file="none.bin")
    assert ended.reason == f"the file {push.folder}/none.bin cannot be read: No such file or directory"


def test_one_that_is_away_does_not_keep_the_others(push: Push, server: Server) -> None:
    away = dataclasses.replace(push.login, device="box.away", port=free_port())
    with push.known_hosts.open("a") as pins:
        key = public(server.host_keys["ed25519"])
        pins.write(f"[127.0.0.1]:{away.port} {key.kind} {key.key}\n")
    stranger = dataclasses.replace(push.login, device="box.stranger", key=str(key_pair(push.folder / "other")))
    assert push.perform(Step.APPLY, push.login, away, stranger).outcome is Outcome.DONE
    ended = {event.device: event for event in push.told if isinstance(event, Done)}
    assert ended["box.away"].outcome is Outcome.UNREACHABLE
    assert ended["box.away"].reason.startswith(f"127.0.0.1 refuses port {away.port}")
    assert ended["box.stranger"].outcome is Outcome.UNREACHABLE
    assert "refuses the key" in ended["box.stranger"].reason
    assert_there(push)


def test_rollback_says_that_there_is_none(push: Push) -> None:
    ended = push.perform(Step.ROLLBACK)
    assert (ended.outcome, ended.reason) == (
        Outcome.NOT_APPLICABLE,
        "the earlier file is not kept; push it in its turn",
    )


def test_progress_is_told_and_the_log_kept(push: Push) -> None:
    push.perform(Step.APPLY, rate=4_000)
    told = [event.what for event in push.told if isinstance(event, Doing)]
    assert "connecting" in told
    assert any(re.fullmatch(r"\d+ % of 1000003 bytes", what) for what in told)
    assert "bytes of payload sent" in (push.folder / "box.test.log").read_text()
