"""What the tests share: sshd on loopback, devices that are files, and labs of real machines, all gone at the end."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from playbooks.drivers import DRIVERS
from tests.playbooks.field import Field, field_of
from tests.playbooks.filing import FILING
from tests.playbooks.loopback import Server, sshd

Boot = Callable[..., Field]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def known_hosts(server: Server, tmp_path: Path) -> Path:
    return server.pinned(tmp_path / "known_hosts")


@pytest.fixture
def filing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let devices be files."""
    monkeypatch.setitem(DRIVERS, "pyinfra", FILING)


@pytest.fixture(scope="session")
def boot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boot]:
    """Return a function that brings up a lab: `boot("role=server,tier=commune", light="office=dong")`.

    The first are booted machines, the others light ones (sshd alone). The same choice is the same lab, until another
    one is made: twenty machines that nobody needs any more would slow down those that are needed.
    """
    labs: dict[tuple[str, str], Field] = {}
    with ExitStack() as ending:

        def choose(booted: str, light: str = "") -> Field:
            if (booted, light) not in labs:
                ending.close()
                labs.clear()
                folder = tmp_path_factory.mktemp("machines")
                labs[booted, light] = ending.enter_context(field_of(folder, booted, light))
            return labs[booted, light]

        yield choose
