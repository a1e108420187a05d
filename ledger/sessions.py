"""Who is logged in. Of what a browser holds only the SHA-256 is kept, so that who reads the ledger gets in nowhere.

A session ends `IDLE` after it was last used and `LASTS` after it began, and with its account. When it was last used is
written down once in `SEEN_EVERY`, so that it may end by as much too early, never too late.
"""

import contextlib
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, or_, select, update

from ledger import audit
from ledger.accounts import Account, accept
from ledger.connection import Ledger
from ledger.errors import LedgerLockedError
from ledger.records import Actor, stamp
from ledger.schema import ACCOUNT, SESSION

IDLE = timedelta(minutes=30)
LASTS = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is logged in; `csrf` is what their forms must send along."""

    person: str
    created: str
    last_seen: str
    expires: str
    csrf: str = field(repr=False)


def digest(secret: str) -> str:
    """Return what is kept of a secret: its SHA-256. It is 256 random bits, so that nothing slower is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def begin(ledger: Ledger, attempt: Account, secret: str, csrf: str, *, origin: str) -> bool:
    """Let a person in whose password was right; False when their account was changed or closed meanwhile.

    Sessions that are over are forgotten.
    """
    now = ledger.clock()
    with ledger.write() as connection:
        if not accept(connection, ledger, attempt, origin=origin):
            return False
        over = or_(SESSION.c.expires <= stamp(now), SESSION.c.last_seen <= stamp(now - IDLE))
        connection.execute(delete(SESSION).where(over))
        times = {"created": stamp(now), "last_seen": stamp(now), "expires": stamp(now + LASTS)}
        row = {"id": digest(secret), "person": attempt.person, "csrf": csrf, **times}
        connection.execute(insert(SESSION).values(row))
        return True


def find(ledger: Ledger, secret: str, *, used: bool = True) -> Session | None:
    """Return the session that a browser holds the secret of; None when it is over, or never was.

    `used` says that a person did something, and not the page by itself.
    """
    now, key = ledger.clock(), digest(secret)
    columns = [SESSION.c[name] for name in ("person", "created", "last_seen", "expires", "csrf")]
    open_ones = select(*columns).join(ACCOUNT).where(ACCOUNT.c.disabled.is_(None), SESSION.c.id == key)
    with ledger.read() as connection:
        row = connection.execute(open_ones).one_or_none()
    if row is None or row.expires <= stamp(now) or row.last_seen <= stamp(now - IDLE):
        return None
    if used and row.last_seen <= stamp(now - SEEN_EVERY):
        _see(ledger, key, now)
    return Session(**row._mapping)


def _see(ledger: Ledger, key: str, now: datetime) -> None:
    with contextlib.suppress(LedgerLockedError), ledger.write() as connection:  # the next use writes it
        connection.execute(update(SESSION).where(SESSION.c.id == key).values(last_seen=stamp(now)))


def end(ledger: Ledger, secret: str, *, origin: str) -> None:
    """Log out; a session that is over stays over."""
    with ledger.write() as connection:
        person = connection.scalar(select(SESSION.c.person).where(SESSION.c.id == digest(secret)))
        if person is not None:
            connection.execute(delete(SESSION).where(SESSION.c.id == digest(secret)))
            audit.append(connection, ledger, Actor(person, person, origin), "account.logout", {"of": person})
