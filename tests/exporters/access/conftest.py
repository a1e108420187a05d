"""A province with an account, its desk, and the pages of login alone, served on loopback."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from exporters.access.desk import Desk
from exporters.access.middleware import Doorkeeper
from exporters.access.rate import Rate
from exporters.access.routes import routes
from exporters.page.hygiene import Hygiene
from exporters.page.language import Speaking
from exporters.questions import Knowledge
from exporters.watch import Watch
from inventory.load import load
from ledger import accounts
from ledger.connection import FILE, Ledger, open_ledger
from ledger.records import Actor
from tests.clock import Clock
from tests.exporters.access.serving import Browser, serving
from tests.exporters.test_health import GOOD

PASSWORD = "con trâu ăn cỏ 7"
LAN = Actor("lan", "lan")
PEOPLE = """
  binh:
    name: Trần Văn Bình
    roles: [operator]
    under: dong-yen
"""


@pytest.fixture(scope="session")
def password_hash() -> str:
    return PasswordHasher(1, 8, 1).hash(PASSWORD)  # a quick one: how long it takes stands in the hash itself


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = Path(shutil.copytree(GOOD, tmp_path / "province"))
    with (made / "people.yaml").open("a") as people:
        people.write(PEOPLE)
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(folder: Path, clock: Clock, password_hash: str) -> Iterator[Ledger]:
    """The ledger with accounts for Lan, who sees everything, and Bình, who sees one commune."""
    with open_ledger(folder / FILE, clock=clock) as opened:
        for person in ("lan", "binh"):
            accounts.add(opened, person, password_hash, actor=LAN)
        yield opened


@pytest.fixture
def watch(folder: Path) -> Watch:
    return Watch(load(folder), Knowledge())


@pytest.fixture
def desk(folder: Path, ledger: Ledger, clock: Clock, watch: Watch) -> Iterator[Desk]:
    """The desk of a page; wrong logins are answered at once, and as many are heard as come."""
    made = Desk(partial(open_ledger, folder / FILE, clock=clock), lambda: watch.province, Rate(10_000), not_before=0)
    yield made
    made.close()


async def whoami(request: Request) -> Response:
    person = request.state.person
    told = {"account": person.account, "under": person.under, "language": person.language} if person else None
    return JSONResponse({"person": told, "csrf": request.state.csrf})


async def echo(request: Request) -> Response:
    async with request.form() as form:
        return JSONResponse({"form": dict(form.items()), "state": dict(request.state.form)})


@pytest.fixture
def app(desk: Desk, watch: Watch) -> Hygiene:
    """The login and two pages that tell what they were told, within what stands before each page."""
    own = [Route("/whoami", whoami), Route("/echo", echo, methods=["POST"])]
    inner = Starlette(routes=[*routes(desk), *own], middleware=[Middleware(Doorkeeper, desk=desk)])
    inner.state.watch, inner.state.has_login = watch, True
    return Hygiene(Speaking(inner))


@pytest.fixture
def port(app: Hygiene) -> Iterator[int]:
    with serving(app) as served:
        yield served


@pytest.fixture
def browser(port: int) -> Browser:
    return Browser(port)


def without(watch: Watch, person: str) -> None:
    """Take a person out of people.yaml, as the watch sees it after the file has changed."""
    people = {name: one for name, one in watch.province.people.items() if name != person}
    watch.replace(replace(watch.province, people=people), Knowledge())
