"""The one-stop agent on a booted commune box: installed, upgraded, broken by 3.0, and rolled back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.repository import offer
from playbooks.event import Change, Doing, Done, Event, Outcome
from tests.playbooks.conftest import Boot
from tests.playbooks.field import Field, changes, outcomes

BOX = "box.dong-1"
URL = "https://one-stop.machines.example/"
WELL = {BOX: (Outcome.DONE, "")}


class Agent:
    """The job `one-stop-agent` on one box, and the package archive that it installs from."""

    def __init__(self, field: Field, archive: Path) -> None:
        self.field, self._archive = field, archive

    def offer(self, version: str) -> None:
        offer(self._archive, "one-stop-agent", version)

    def step(self, name: str, **sets: str) -> list[Event]:
        told = self.field.perform("one-stop-agent", name, BOX, secrets={}, one_stop_url=URL, **sets)
        return [event for event in told if not isinstance(event, Doing)]

    def whats(self, name: str, **sets: str) -> list[str]:
        """Do a step that succeeds, and return what it told to be changed."""
        events = self.step(name, **sets)
        assert outcomes(events) == WELL
        return [change.what for change in changes(events)[BOX]]

    def reason(self, name: str, **sets: str) -> str:
        """Do a step that fails, and return why."""
        outcome, reason = outcomes(self.step(name, **sets))[BOX]
        assert outcome is Outcome.FAILED
        return reason

    def health(self) -> dict[str, str]:
        answer: dict[str, str] = json.loads(self.field.shell(BOX, "curl --silent localhost:8099"))
        return answer

    def version(self) -> str:
        return self.state().split()[1]

    def state(self) -> str:
        return self.field.shell(BOX, "dpkg-query -W -f '${db:Status-Abbrev}${Version}' one-stop-agent")


@pytest.fixture(scope="module")
def agent(boot: Boot) -> Iterator[Agent]:
    field = boot(BOX)
    with field.mirror() as archive:
        yield Agent(field, archive)


def foreseen(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Change) or event.foreseen]


def test_first_installation_is_foreseen_on_a_machine_that_knows_no_archive(agent: Agent) -> None:
    checked = agent.step("check")
    later = [change.what for change in changes(checked)[BOX] if not change.foreseen]
    assert later == ["Keep the agent running", "Restart the one-stop agent"]
    assert Change(BOX, "Install one-stop-agent 1.0", "+one-stop-agent") in checked
    left = agent.field.shell(BOX, "ls -d /etc/one-stop-agent /run/tuyen-apt-view /var/lib/tuyen 2>/dev/null || true")
    assert left == "", "checking changes nothing"
    applied = agent.step("apply")
    assert [event for event in applied if event[1] not in later] == foreseen(checked)
    assert agent.health() == {"status": "ok", "version": "1.0", "office": "dong-1"}
    assert agent.step("verify") == agent.step("check") == [Done(BOX, Outcome.DONE)]


def test_upgrade_goes_to_the_newest_on_offer_and_back(agent: Agent) -> None:
    agent.offer("2.0")
    assert agent.whats("apply") == ["Record the version of before", "Install one-stop-agent 2.0"]
    assert agent.whats("apply") == []
    assert agent.health()["version"] == "2.0"
    assert agent.whats("rollback") == ["Install one-stop-agent 1.0", "Record that this is what is wanted now"]
    assert agent.health() == {"status": "ok", "version": "1.0", "office": "dong-1"}
    assert agent.whats("verify") == []


def test_broken_version_says_why_and_the_version_of_before_comes_back(agent: Agent) -> None:
    agent.offer("3.0")
    before = agent.version()
    why = "one-stop-agent 3.0 was not installed: ModuleNotFoundError: No module named 'one_stop_protocol'"
    assert why in agent.reason("apply")
    assert agent.state() == "iF 3.0"
    assert "should be installed, but dpkg says 'iF  3.0'" in agent.reason("verify")
    assert why in agent.reason("apply"), "a second try keeps the way back"
    assert agent.whats("rollback") == [f"Install one-stop-agent {before}", "Record that this is what is wanted now"]
    assert (agent.state(), agent.health()["version"]) == (f"ii {before}", before)
    assert agent.whats("verify") == []


def test_power_cut_in_the_middle_of_an_upgrade_is_healed_by_the_next_run(agent: Agent) -> None:
    agent.offer("2.0")
    # The power goes when other files are there, and dpkg has configured nothing yet.
    other = "1.0" if agent.version() == "2.0" else "2.0"
    unpack = f"apt-get -q download one-stop-agent={other} && dpkg --unpack one-stop-agent_{other}_all.deb"
    agent.field.shell(BOX, f"apt-get -qq update && cd /tmp && {unpack}")
    agent.field.lab.power(BOX, on=False)
    agent.field.lab.power(BOX, on=True)
    agent.field.lab.wait_ssh([BOX], 30)
    assert agent.state() == f"iU {other}"
    agent.whats("apply")
    assert agent.whats("verify") == []
    assert (agent.state(), agent.health()["version"]) == ("ii 2.0", "2.0")


def test_configuration_changed_by_hand_is_found_and_mended(agent: Agent) -> None:
    agent.offer("2.0")
    agent.whats("apply")
    agent.field.shell(BOX, "sed -i s/^office.*/office=elsewhere/ /etc/one-stop-agent/agent.conf")
    wanted = ["Record the version of before", "Write the agent's configuration", "Restart the one-stop agent"]
    assert agent.whats("check") == agent.whats("apply") == wanted
    assert agent.health()["office"] == "dong-1"


def test_version_that_is_not_offered_is_refused_with_those_that_are(agent: Agent) -> None:
    agent.offer("2.0")
    assert "offers no one-stop-agent 2.1, only 2.0, 1.0" in agent.reason("check", version="2.1")
