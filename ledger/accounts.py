"""Accounts of those who log in: a person of people.yaml, the hash of their password, and how often it was missed.

What a hash is made of is not known here. An attempt is counted before the password is looked at, within the write
lock, and forgotten when it was right: so many guesses at the same moment are still no more than `ATTEMPTS`.

Into the audit chain goes every change of an account, every login, and of the wrong passwords the first after a right
one and the one that locks: two rows in `LOCKED` for each account at most, so that nobody can fill the disk with them.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from ledger import audit
from ledger.connection import Ledger
from ledger.errors import N_, AccountExistsError, UnknownAccountError
from ledger.records import Actor, plain, stamp
from ledger.schema import ACCOUNT, SESSION

ATTEMPTS = 5  # wrong passwords in a row
LOCKED = timedelta(minutes=15)  # after them


@dataclass(frozen=True, slots=True)
class Account:
    """Who may log in. Times are as the ledger keeps them; `changed` is when the password was last set.

    `failures` are wrong passwords in a row; while `locked_until` lies ahead no password is right.
    """

    person: str
    hash: str = field(repr=False)
    failures: int
    locked_until: str | None
    created: str
    changed: str
    disabled: str | None


def add(ledger: Ledger, person: str, hashed: str, *, actor: Actor) -> None:
    """Give a person an account. Raises AccountExistsError."""
    at = stamp(ledger.clock())
    row = {"person": plain(person), "hash": hashed, "failures": 0, "created": at, "changed": at}
    with ledger.write() as connection:
        if _find(connection, person) is not None:
            raise AccountExistsError(
                N_("{person} has an account already; `tuyen account passwd {person}` sets a new password"),
                person=person,
            )
        connection.execute(insert(ACCOUNT).values(row))
        audit.append(connection, ledger, actor, "account.add", {"of": person})


def set_password(ledger: Ledger, person: str, hashed: str, *, actor: Actor) -> None:
    """Set a new password: whoever is logged in no longer is, and the account is unlocked. UnknownAccountError."""
    fresh = {"hash": hashed, "changed": stamp(ledger.clock()), "failures": 0, "locked_until": None}
    _change(ledger, person, fresh, "account.password", actor)


def disable(ledger: Ledger, person: str, *, actor: Actor) -> None:
    """Close an account: nobody is or gets in with its password or its tokens. Raises UnknownAccountError."""
    _change(ledger, person, {"disabled": stamp(ledger.clock())}, "account.disable", actor)


def enable(ledger: Ledger, person: str, *, actor: Actor) -> None:
    """Open an account that was closed or locked. Raises UnknownAccountError."""
    opened = {"disabled": None, "failures": 0, "locked_until": None}
    _change(ledger, person, opened, "account.enable", actor)


def _change(ledger: Ledger, person: str, values: dict[str, Any], action: str, actor: Actor) -> None:
    with ledger.write() as connection:
        if not connection.execute(update(ACCOUNT).where(ACCOUNT.c.person == plain(person)).values(values)).rowcount:
            raise UnknownAccountError(N_("{person} has no account"), person=person)
        connection.execute(delete(SESSION).where(SESSION.c.person == plain(person)))
        audit.append(connection, ledger, actor, action, {"of": person})


def accounts(ledger: Ledger) -> tuple[Account, ...]:
    """Return all accounts, by name."""
    with ledger.read() as connection:
        return tuple(_account(row) for row in connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.person)))


def begin_attempt(ledger: Ledger, person: str) -> Account | None:
    """Count a login as wrong until it turns out right, and return the account as it then is.

    None where no password would be right: nobody of that name, closed, locked.
    """
    now = ledger.clock()
    with ledger.write() as connection:
        row = _find(connection, person)
        if row is None or row.disabled or (row.locked_until and row.locked_until > stamp(now)):
            return None
        failures = 1 if row.locked_until else row.failures + 1  # a lock that is over begins the count anew
        counted = {"failures": failures, "locked_until": stamp(now + LOCKED) if failures >= ATTEMPTS else None}
        connection.execute(update(ACCOUNT).where(ACCOUNT.c.person == row.person).values(counted))
        return Account(**{**row._mapping, **counted})


def fail(ledger: Ledger, attempt: Account, *, origin: str) -> None:
    """Write down that the password of an attempt was wrong, where the chain is to know it; `origin` is who asked."""
    nobody = Actor("", "", origin)  # whoever that was
    told: dict[str, object] = {"of": attempt.person}
    if attempt.locked_until is not None:
        action, told = "account.lock", told | {"failures": attempt.failures, "until": attempt.locked_until}
    elif attempt.failures == 1:
        action = "account.wrong-password"
    else:
        return
    with ledger.write() as connection:
        audit.append(connection, ledger, nobody, action, told)


def accept(connection: Connection, ledger: Ledger, attempt: Account, *, origin: str) -> bool:
    """Write down that the password of an attempt was right; False when the account was changed or closed meanwhile."""
    row = _find(connection, attempt.person)
    if row is None or row.disabled or row.hash != attempt.hash:
        return False
    right = {"failures": 0, "locked_until": None}
    connection.execute(update(ACCOUNT).where(ACCOUNT.c.person == row.person).values(right))
    told = {"of": row.person, "wrong_before": attempt.failures - 1}
    audit.append(connection, ledger, Actor(row.person, row.person, origin), "account.login", told)
    return True


def _find(connection: Connection, person: str) -> Row[Any] | None:
    return connection.execute(select(ACCOUNT).where(ACCOUNT.c.person == plain(person))).one_or_none()


def _account(row: Row[Any]) -> Account:
    return Account(**row._mapping)
