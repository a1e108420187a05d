"""Ledgers of a test's own: a SQLite file, and a database of a real PostgreSQL that only listens on a unix socket."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from ledger.connection import Ledger, open_ledger
from ledger.records import Actor
from ledger.runs import begin_run

LAN = Actor("lan", "lan.nguyen", "10.91.0.20")
SECONDS = 60


def begin(ledger: Ledger, job: str = "baseline") -> str:
    """Begin a run as Lan does."""
    return begin_run(
        ledger, job=job, job_digest="sha256:1", plan_digest="sha256:2", actor=LAN, command=f"tuyen run {job}"
    )


@contextmanager
def driving(place: Path | str, rollout: str, *words: str) -> "Iterator[subprocess.Popen[str]]":
    """Start a controller of a rollout (`tests.ledger.driver`) in a process of its own, which does not outlive this."""
    controller = subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.driver", str(place), rollout, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with controller:
        try:
            yield controller
        finally:
            controller.kill()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """A server of the tests' own; each call makes a database and returns its URL."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
    folder = Path(tempfile.mkdtemp(prefix="tuyen-postgresql-"))  # pytest's own folders are closed to its account
    account = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    os.chown(folder, account.pw_uid, account.pw_gid)
    become = ["setpriv", "--pdeathsig", "INT", *_identity(account)]
    data = folder / "data"
    subprocess.run(
        [*become, programs / "initdb", "-D", data, "-U", "tuyen", "--auth=trust", "--no-sync", "--locale=C.UTF-8"],
        check=True,
        capture_output=True,
        timeout=SECONDS,
        cwd=folder,
    )
    settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*become, programs / "postgres", "-D", data, "-k", folder, *settings],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        _wait_for(folder, server)
        yield _databases(folder)
    finally:
        server.send_signal(signal.SIGINT)  # PostgreSQL's "fast": it ends sessions that are still open
        try:
            server.wait(SECONDS)
        finally:
            server.kill()
            shutil.rmtree(folder)


def _identity(account: pwd.struct_passwd) -> list[str]:
    if os.geteuid() != 0:
        return []
    return [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]


def _wait_for(folder: Path, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + SECONDS
    while server.poll() is None and time.monotonic() < until:
        try:
            psycopg.connect(host=str(folder), user="tuyen", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError((folder / "log").read_text())


def _databases(folder: Path) -> Callable[[], str]:
    made: list[str] = []

    def make() -> str:
        made.append(f"ledger_{len(made)}")
        with psycopg.connect(host=str(folder), user="tuyen", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {made[-1]}".encode())
        return f"postgresql://tuyen@/{made[-1]}?host={folder}"

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a ledger may be made: a file that is not there yet, or an empty database."""
    if request.param == "sqlite":
        return tmp_path / ".tuyen" / "ledger.sqlite"
    make: Callable[[], str] = request.getfixturevalue("postgresql")
    return make()


@pytest.fixture
def ledger(place: Path | str) -> Iterator[Ledger]:
    """An empty ledger, on each database."""
    with open_ledger(place, patience=5) as opened:
        yield opened


@pytest.fixture
def in_a_file(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger in a file."""
    with open_ledger(tmp_path / "ledger.sqlite", patience=5) as opened:
        yield opened
