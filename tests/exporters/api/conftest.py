"""The whole status page of a province with a district that is out, with login and the interface for programs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from exporters.access.desk import Desk
from exporters.access.rate import Rate
from exporters.api.beside import beside
from exporters.page.app import StatusPage, status_page
from exporters.rollouts import RolloutFigures
from ledger.connection import FILE, Ledger, open_ledger
from ledger.planned import plan
from ledger.tokens import create
from tests.clock import Clock
from tests.exporters.access.conftest import LAN, folder, ledger, password_hash
from tests.exporters.access.serving import Answer, Browser, serving
from tests.exporters.test_outages_keeping import DISTRICT, Played

__all__ = ["folder", "ledger", "password_hash"]  # fixtures
AN_HOUR = timedelta(hours=1)
ROLLOUT = RolloutFigures("agent-2", "20261125T090000000-aaaaaa", "one-stop-agent", "lan", "running", 1, 3, {"done": 2})


@pytest.fixture
def clock() -> Clock:
    """It is an hour later than it is, so that what began now has lasted; readings bear the machine's own time."""
    return Clock(datetime.now(UTC) + AN_HOUR)


@pytest.fixture
def played(folder: Path, ledger: Ledger, clock: Clock) -> Iterator[Played]:
    """An hour ago everything was well; since then a district is out. At Nam Yên, work is planned for tomorrow."""
    tomorrow = clock.now + timedelta(days=1)
    until = tomorrow + AN_HOUR
    plan(ledger, selector="under=nam-yen", began=tomorrow, until=until, why="a new mast", actor=LAN)
    made = Played(folder / FILE, (clock.now - AN_HOUR).timestamp(), folder=folder)
    with ThreadPoolExecutor(1) as thread:  # whose event loop is not that of a browser
        thread.submit(made.pass_by, 2).result()
        made.say(*DISTRICT)
        thread.submit(made.pass_by, 25).result()
    made.keeping._end(made.at)
    yield made
    made.kill()


@pytest.fixture
def desk(folder: Path, ledger: Ledger, clock: Clock, played: Played) -> Iterator[Desk]:
    province = lambda: played.watch.province  # noqa: E731
    made = Desk(partial(open_ledger, folder / FILE, clock=clock), province, Rate(10_000), not_before=0)
    yield made
    made.close()


@pytest.fixture
def made(folder: Path, clock: Clock, played: Played, desk: Desk) -> StatusPage:
    read = lambda: (ROLLOUT,)  # noqa: E731
    ledger = partial(open_ledger, folder / FILE, clock=clock)
    page = status_page(played.keeping, ledger, read, beside=beside(desk, played.keeping, read))
    page.stream.parts.looking.look()
    return page


@pytest.fixture
def port(made: StatusPage) -> Iterator[int]:
    with serving(made.app) as served:
        yield served


@pytest.fixture
def lan(port: int, ledger: Ledger) -> "Program":
    """A program of Lan, who sees everything."""
    return program(port, ledger, "lan")


@pytest.fixture
def binh(port: int, ledger: Ledger) -> "Program":
    """A program of Bình, who sees what lies below one commune."""
    return program(port, ledger, "binh")


class Program(Browser):
    """Shows a token with every question."""

    token = ""

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        shown = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return super().ask(method, path, body, **{**shown, **headers})


def program(port: int, ledger: Ledger, person: str) -> Program:
    made = Program(port)
    _id, made.token = create(ledger, person, "test", ledger.clock() + timedelta(days=1), actor=LAN)
    return made
