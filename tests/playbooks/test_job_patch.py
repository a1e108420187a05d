"""Security updates on a booted commune box: from the security suite only, and a restart only when one is due."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.repository import offer
from playbooks.event import Change, Doing, Done, Event, Outcome
from tests.playbooks.conftest import Boot
from tests.playbooks.field import Field, changes, outcomes

BOX = "box.dong-2"
NOTHING = [Done(BOX, Outcome.DONE)]
RESTART = "Restart the machine and wait until it is back"


@pytest.fixture(scope="module")
def served(boot: Boot) -> Iterator[tuple[Field, Path]]:
    field = boot(BOX)
    with field.mirror() as archive:
        # The box has what is in the province's suite, and something newer in that suite is none of patch's business.
        assert outcomes(field.perform("one-stop-agent", "apply", BOX, one_stop_url="http://x/"))[BOX][0] is Outcome.DONE
        field.shell(BOX, "apt-get -qq -y install lab-library")
        offer(archive, "one-stop-agent", "2.0")
        yield field, archive


def step(field: Field, name: str, **sets: Any) -> list[Event]:
    told = field.perform("patch", name, BOX, **sets)
    return [event for event in told if not isinstance(event, Doing)]


def boot_id(field: Field) -> str:
    return field.shell(BOX, "cat /proc/sys/kernel/random/boot_id")


def installed(field: Field, package: str) -> str:
    return field.shell(BOX, f"dpkg-query -W -f '${{Version}}' {package}")


def test_update_that_asks_for_a_restart_gets_one_and_nothing_else_is_touched(served: tuple[Field, Path]) -> None:
    field, archive = served
    assert step(field, "apply") == NOTHING
    before = boot_id(field)
    offer(archive, "lab-library", "1.1")

    update = Change(BOX, "Install security updates", "^lab-library")
    assert step(field, "check") == [update, Change(BOX, RESTART, foreseen=False), *NOTHING]
    assert installed(field, "lab-library") == "1.0"

    applied = step(field, "apply")
    assert [change.what for change in changes(applied)[BOX]] == [update.what, RESTART]
    assert boot_id(field) != before
    assert (installed(field, "lab-library"), installed(field, "one-stop-agent")) == ("1.1", "1.0")
    assert step(field, "verify") == step(field, "apply") == NOTHING


def test_restart_that_is_due_is_foreseen_and_can_be_put_off(served: tuple[Field, Path]) -> None:
    field, _archive = served
    field.shell(BOX, "touch /run/reboot-required; echo lab-library > /run/reboot-required.pkgs")
    before = boot_id(field)
    assert [change.what for change in changes(step(field, "check"))[BOX]] == [RESTART]
    assert step(field, "apply", restart="false") == NOTHING
    assert boot_id(field) == before
    outcome, reason = outcomes(step(field, "verify"))[BOX]
    assert outcome is Outcome.FAILED
    assert "still to do: asked for by: lab-library" in reason
