"""`tuyen rollout status --watch`: a board that follows on a terminal, lines where nobody looks at a screen."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.cli.test_rollout import As, changed, province, public, rollout, under_way
from tests.conftest import NO_NETWORK

__all__ = ["changed", "province", "rollout", "under_way"]  # fixtures


def test_piped_the_watch_tells_the_board_once_and_then_a_line_for_each_thing(
    province: Path, rollout: As, under_way: str
) -> None:
    with watching(province, stdout=subprocess.PIPE) as watch:
        assert watch.stdout is not None
        first = read_until(watch.stdout.fileno(), b"approved by 0 of 1\n\n").decode()
        assert first.startswith(f"greet ({under_way}), greeting, by lan: running")
        assert rollout("lan", "pause", "greet", "--why", "a storm").returncode == 0
        told = read_until(watch.stdout.fileno(), b"a storm\n")
        assert told.endswith(b" paused: a storm\n")
        assert told.count(b"\n") == 1
        watch.send_signal(signal.SIGINT)
        rest, complained = watch.communicate(timeout=60)
        assert (rest, complained, watch.returncode) == ("", "", 130)


def test_who_was_given_a_key_meanwhile_is_believed(province: Path, rollout: As, under_way: str) -> None:
    key = province.parent / "chi"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=30)
    with watching(province, stdout=subprocess.PIPE) as watch:
        assert watch.stdout is not None
        read_until(watch.stdout.fileno(), b"approved by 0 of 1\n\n")
        with (province / "people.yaml").open("a") as people:
            people.write(f'  chi: {{name: Chi, roles: [approver], under: centre, keys: ["{public(key)}"]}}\n')
        approved = rollout("chi", "approve", "greet", "--key", str(key))
        assert approved.returncode == 0, approved.stderr
        assert read_until(watch.stdout.fileno(), b"\n").endswith(b" wave 2 (rest) approved by chi\n")


def test_on_a_terminal_the_board_follows(province: Path, rollout: As, under_way: str) -> None:
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (30, 110))
    with watching(province, stdout=terminal) as watch:
        os.close(terminal)
        read_until(screen, b"nobody drives it")
        assert rollout("lan", "pause", "greet", "--why", "a storm").returncode == 0
        drawn = read_until(screen, b"paused: a storm")
        assert b"\x1b[1A" in drawn, "it goes up, and draws over the board before"
        assert b"\x1b[2J" not in drawn, "what stood on the screen before stays"
        watch.send_signal(signal.SIGINT)
        assert watch.wait(60) == 130
    os.close(screen)


def test_ctrl_c_at_a_question_is_an_interruption(province: Path, changed: str) -> None:
    screen, terminal = pty.openpty()
    with watching(province, stdout=terminal, stdin=terminal, words=("rollback", changed)) as asking:
        os.close(terminal)
        assert asking.stderr is not None
        read_until(asking.stderr.fileno(), b"[y/N]: ")
        for _turn in range(10):  # what comes between the question and the waiting for an answer is heeded with the next
            asking.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                asking.wait(6)
                break
        assert asking.returncode == 130
        assert "Aborted" not in asking.stderr.read()
    os.close(screen)


@contextmanager
def watching(
    province: Path, stdout: int, stdin: int = subprocess.DEVNULL, words: Sequence[str] = ("status", "greet", "--watch")
) -> "Iterator[subprocess.Popen[str]]":
    command = [*NO_NETWORK, sys.executable, "-m", "cli", "--lang", "en", "--province", str(province)]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG"))}
    with subprocess.Popen(
        [*command, "rollout", *words],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env={**kept, "PYTHONUTF8": "1", "TERM": "xterm", "SUDO_USER": "lan"},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(screen: int, wanted: bytes) -> bytes:
    """Return what is drawn until `wanted` is; fails when nothing more comes."""
    drawn = b""
    while wanted not in drawn:
        assert select.select([screen], [], [], 60)[0], drawn
        drawn += os.read(screen, 4096)
    return drawn
