"""Accounts, sessions and tokens on both databases: attempts that are counted, what ends, what the chain is told."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ledger import accounts, sessions, tokens
from ledger.accounts import ATTEMPTS, LOCKED, Account
from ledger.audit import entries, verify
from ledger.connection import Ledger, connect, open_ledger
from ledger.errors import AccountExistsError, UnknownAccountError
from ledger.history import tasks
from ledger.records import Actor
from ledger.runs import intend
from ledger.sessions import IDLE, LASTS
from ledger.upgrade import upgrade
from tests.clock import NOON, Clock
from tests.ledger.conftest import LAN, begin

HASH = "$argon2id$v=19$m=65536,t=3,p=4$one"
AWAY = "10.91.4.7"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(place: Path | str, clock: Clock) -> Iterator[Ledger]:
    """A ledger on each database, whose time the test turns, with an account for Lan."""
    with open_ledger(place, patience=10, clock=clock) as opened:
        accounts.add(opened, "lan", HASH, actor=LAN)
        yield opened


def told(ledger: Ledger, *actions: str) -> list[tuple[str, dict[str, Any]]]:
    return [(e.action, json.loads(e.details)) for e in entries(ledger) if not actions or e.action in actions]


def attempt(ledger: Ledger) -> Account:
    begun = accounts.begin_attempt(ledger, "lan")
    assert begun is not None
    return begun


def log_in(ledger: Ledger, secret: str = "browser") -> None:
    assert sessions.begin(ledger, attempt(ledger), secret, "form", origin=AWAY)


def miss(ledger: Ledger, times: int = 1) -> None:
    for _turn in range(times):
        accounts.fail(ledger, attempt(ledger), origin=AWAY)


def test_an_account_is_there_once_and_tells_no_hash(ledger: Ledger) -> None:
    with pytest.raises(AccountExistsError, match="lan has an account already"):
        accounts.add(ledger, "lan", HASH, actor=LAN)
    (only,) = accounts.accounts(ledger)
    assert (only.person, only.hash, only.failures, only.locked_until, only.disabled) == ("lan", HASH, 0, None, None)
    assert HASH not in repr(only)
    assert told(ledger) == [("account.add", {"of": "lan"})]
    for change in (accounts.disable, accounts.enable):
        with pytest.raises(UnknownAccountError, match="binh has no account"):
            change(ledger, "binh", actor=LAN)


def test_the_fifth_wrong_password_locks_for_a_quarter_of_an_hour(ledger: Ledger, clock: Clock) -> None:
    miss(ledger, ATTEMPTS)
    assert accounts.begin_attempt(ledger, "lan") is None
    clock.pass_by(LOCKED - timedelta(microseconds=1))
    assert accounts.begin_attempt(ledger, "lan") is None
    clock.pass_by(timedelta(microseconds=1))
    miss(ledger, ATTEMPTS - 1)  # the count begins anew
    log_in(ledger)
    (only,) = accounts.accounts(ledger)
    assert (only.failures, only.locked_until) == (0, None)


def test_wrong_passwords_at_the_same_moment_all_count(ledger: Ledger) -> None:
    together = threading.Barrier(2)

    def one_miss(_turn: int) -> None:
        together.wait()
        miss(ledger)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one_miss, range(2)))
    assert accounts.accounts(ledger)[0].failures == 2


def test_so_many_guesses_at_once_are_five_at_most(ledger: Ledger) -> None:
    together = threading.Barrier(20)

    def guess(_turn: int) -> Account | None:
        together.wait()
        return accounts.begin_attempt(ledger, "lan")  # none is said to be wrong before all have begun

    with ThreadPoolExecutor(20) as pool:
        begun = list(pool.map(guess, range(20)))
    assert sorted(one.failures for one in begun if one) == list(range(1, ATTEMPTS + 1))


def test_the_right_password_at_the_last_attempt_opens(ledger: Ledger) -> None:
    miss(ledger, ATTEMPTS - 1)
    log_in(ledger)
    assert accounts.begin_attempt(ledger, "lan") is not None
    assert told(ledger, "account.lock") == []


def test_the_chain_knows_logins_and_locks_but_no_flood(ledger: Ledger, clock: Clock) -> None:
    for _turn in range(3):
        miss(ledger, ATTEMPTS)
        for _again in range(50):
            assert accounts.begin_attempt(ledger, "lan") is None
            assert accounts.begin_attempt(ledger, "nobody") is None
        clock.pass_by(LOCKED)
    miss(ledger, 2)
    log_in(ledger)
    actions = [action for action, _details in told(ledger)]
    one_turn = ["account.wrong-password", "account.lock"]
    assert actions == ["account.add", *one_turn * 3, "account.wrong-password", "account.login"]
    lock = next(entry for entry in entries(ledger) if entry.action == "account.lock")
    assert (lock.actor.person, lock.actor.origin) == ("", AWAY)
    assert json.loads(lock.details)["failures"] == ATTEMPTS
    assert told(ledger, "account.login") == [("account.login", {"of": "lan", "wrong_before": 2})]
    assert list(verify(ledger)) == []


def test_a_session_ends_when_it_is_idle_and_at_last_in_any_case(ledger: Ledger, clock: Clock) -> None:
    log_in(ledger)
    clock.pass_by(IDLE - timedelta(seconds=1))
    assert sessions.find(ledger, "browser") is not None  # and that was a use
    clock.pass_by(IDLE - timedelta(seconds=1))
    assert sessions.find(ledger, "browser", used=False) is not None  # and that was none
    clock.pass_by(timedelta(seconds=1))
    assert sessions.find(ledger, "browser") is None
    log_in(ledger, "other")
    began = clock.now
    while clock.now + IDLE / 2 < began + LASTS:
        clock.pass_by(IDLE / 2)
        assert sessions.find(ledger, "other") is not None
    clock.pass_by(began + LASTS - clock.now)
    assert sessions.find(ledger, "other") is None


def test_the_ledger_holds_nothing_that_lets_its_reader_in(ledger: Ledger) -> None:
    log_in(ledger)
    _id, secret = tokens.create(ledger, "lan", "board", NOON + timedelta(days=1), actor=LAN)
    with ledger.read() as connection:
        kept = [
            tuple(row)
            for table in ("session", "token", "audit")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert "browser" not in str(kept)
    assert secret not in str(kept)
    (held,) = (row[0] for row in kept if row[0] == sessions.digest("browser"))
    assert sessions.find(ledger, held) is None  # what is kept is not what lets in


@pytest.mark.parametrize("change", ["disable", "enable", "password"])
def test_a_change_of_the_account_ends_its_sessions(ledger: Ledger, change: str) -> None:
    log_in(ledger)
    begun = attempt(ledger)
    if change == "password":
        accounts.set_password(ledger, "lan", HASH + "2", actor=LAN)
        assert not sessions.begin(ledger, begun, "late", "form", origin=AWAY)  # the old password, looked at before
    else:
        getattr(accounts, change)(ledger, "lan", actor=LAN)
    assert sessions.find(ledger, "browser") is None
    assert told(ledger)[-1] == (f"account.{change}", {"of": "lan"})


def test_a_closed_account_lets_nobody_in_until_it_is_opened(ledger: Ledger) -> None:
    _id, secret = tokens.create(ledger, "lan", "board", NOON + timedelta(days=1), actor=LAN)
    begun = attempt(ledger)
    accounts.disable(ledger, "lan", actor=LAN)
    assert accounts.begin_attempt(ledger, "lan") is None
    assert not sessions.begin(ledger, begun, "late", "form", origin=AWAY)
    assert tokens.find(ledger, secret) is None
    accounts.enable(ledger, "lan", actor=LAN)
    assert tokens.find(ledger, secret) is not None
    log_in(ledger)


def test_logging_out_ends_one_session(ledger: Ledger) -> None:
    log_in(ledger, "here")
    log_in(ledger, "there")
    for _turn in range(2):
        sessions.end(ledger, "here", origin=AWAY)
    assert sessions.find(ledger, "here") is None
    assert sessions.find(ledger, "there") is not None
    assert told(ledger, "account.logout") == [("account.logout", {"of": "lan"})]


def test_sessions_that_are_over_are_forgotten(ledger: Ledger, clock: Clock) -> None:
    log_in(ledger)
    clock.pass_by(IDLE)
    log_in(ledger, "new")
    with ledger.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM session")) == 1


def test_a_token_is_good_until_its_day_or_its_revocation(ledger: Ledger, clock: Clock) -> None:
    first, secret = tokens.create(ledger, "lan", "board", NOON + timedelta(days=1), actor=LAN)
    second, other = tokens.create(ledger, "lan", "script", NOON + timedelta(days=9), actor=LAN)
    assert secret.startswith("tuyen_")
    assert len(secret) == len("tuyen_") + 43  # 256 bits
    assert tokens.find(ledger, secret[:-1]) is None
    found = tokens.find(ledger, secret)
    assert found is not None
    assert (found.id, found.person, found.last_used) == (first, "lan", None)
    assert {one.id: one.last_used is None for one in tokens.tokens(ledger, "lan")} == {first: False, second: True}
    clock.pass_by(timedelta(days=1))
    assert tokens.find(ledger, secret) is None
    tokens.revoke(ledger, second, actor=LAN)
    assert tokens.find(ledger, other) is None
    for unknown in (second, "x"):
        with pytest.raises(UnknownAccountError, match="knows no token"):
            tokens.revoke(ledger, unknown, actor=LAN)
    with pytest.raises(UnknownAccountError, match="binh has no account; `tuyen account add binh`"):
        tokens.create(ledger, "binh", "x", NOON, actor=LAN)
    assert [action for action, _details in told(ledger)][1:] == ["token.create", "token.create", "token.revoke"]


def test_what_the_chain_does_not_take_does_not_happen(ledger: Ledger) -> None:
    log_in(ledger)
    token, _secret = tokens.create(ledger, "lan", "board", NOON + timedelta(days=1), actor=LAN)

    def everything() -> list[Any]:
        tables = ("account", "token", "session", "audit")
        with ledger.read() as connection:
            return [connection.execute(text(f"SELECT * FROM {table}")).all() for table in tables]

    before, nobody = everything(), Actor(None, "lan")  # type: ignore[arg-type]
    changes: list[Callable[[], object]] = [
        lambda: accounts.add(ledger, "binh", HASH, actor=nobody),
        lambda: accounts.set_password(ledger, "lan", HASH + "2", actor=nobody),
        lambda: accounts.disable(ledger, "lan", actor=nobody),
        lambda: accounts.enable(ledger, "lan", actor=nobody),
        lambda: tokens.create(ledger, "lan", "x", NOON, actor=nobody),
        lambda: tokens.revoke(ledger, token, actor=nobody),
        lambda: sessions.end(ledger, "browser", origin=None),  # type: ignore[arg-type]
    ]
    for change in changes:
        with pytest.raises(TypeError):
            change()
    assert everything() == before


def test_hostile_names_are_nobody(ledger: Ledger) -> None:
    for name in ("", "lan\0", "l\ud800", "' OR 1=1 --", "x" * 100_000):
        assert accounts.begin_attempt(ledger, name) is None
        assert sessions.find(ledger, name) is None
        assert tokens.find(ledger, name) is None


def test_a_ledger_from_before_accounts_is_upgraded_with_all_it_knew(place: Path | str) -> None:
    before = connect(place)
    upgrade(before, newest="0003")
    run = begin(before)
    intend(before, run, {"a": "f"})
    before.close()
    with open_ledger(place) as opened:
        assert [task.before for task in tasks(opened, run)] == ["f"]
        accounts.add(opened, "lan", HASH, actor=LAN)
        assert list(verify(opened)) == []
