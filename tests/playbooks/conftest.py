"""What the tests of jobs share: labs of real machines, a lab a choice of devices, all gone at the end; and files."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from playbooks.drivers import DRIVERS
from tests.playbooks.field import Field, field_of
from tests.playbooks.filing import FILING

Boot = Callable[..., Field]


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
