"""Tokens: how programs get in, in the name of a person. Only their SHA-256 is kept; the secret is shown once.

A token ends on its day, when it is revoked, and while its account is closed.
"""

import contextlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update

from ledger import audit
from ledger.connection import Ledger
from ledger.errors import N_, LedgerLockedError, UnknownAccountError
from ledger.records import Actor, new_id, plain, stamp
from ledger.schema import ACCOUNT, TOKEN
from ledger.sessions import digest

PREFIX = "tuyen_"  # by which people and scanners for lost secrets know one
USED_EVERY = timedelta(minutes=1)  # at most as often is it written down


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. Times are as the ledger keeps them; `last_used` is right to a minute."""

    id: str
    person: str
    label: str
    created: str
    expires: str
    last_used: str | None
    revoked: str | None


_COLUMNS = [TOKEN.c[name] for name in ("id", "person", "label", "created", "expires", "last_used", "revoked")]


def create(ledger: Ledger, person: str, label: str, expires: datetime, *, actor: Actor) -> tuple[str, str]:
    """Make a token and return its id and its secret, which nobody can read again. Raises UnknownAccountError."""
    now, secret = ledger.clock(), PREFIX + secrets.token_urlsafe(32)
    row = {"id": new_id(now), "label": plain(label), "created": stamp(now), "expires": stamp(expires)}
    with ledger.write() as connection:
        if connection.scalar(select(ACCOUNT.c.person).where(ACCOUNT.c.person == plain(person))) is None:
            raise UnknownAccountError(
                N_("{person} has no account; `tuyen account add {person}` makes one"), person=person
            )
        connection.execute(insert(TOKEN).values(secret=digest(secret), person=plain(person), **row))
        told = {"of": person, "token": row["id"], "label": label, "expires": row["expires"]}
        audit.append(connection, ledger, actor, "token.create", told)
    return row["id"], secret


def revoke(ledger: Ledger, token: str, *, actor: Actor) -> None:
    """Let nobody in any more with the token of that id. Raises UnknownAccountError."""
    wanted = TOKEN.c.id == token, TOKEN.c.revoked.is_(None)
    with ledger.write() as connection:
        person = connection.scalar(select(TOKEN.c.person).where(*wanted))
        if person is None:
            raise UnknownAccountError(N_("the ledger knows no token {token} that could be revoked"), token=token)
        connection.execute(update(TOKEN).where(*wanted).values(revoked=stamp(ledger.clock())))
        audit.append(connection, ledger, actor, "token.revoke", {"of": person, "token": token})


def tokens(ledger: Ledger, person: str = "") -> tuple[Token, ...]:
    """Return all tokens, or those of one person, oldest first, also those that are over."""
    wanted = select(*_COLUMNS).order_by(TOKEN.c.id)
    if person:
        wanted = wanted.where(TOKEN.c.person == plain(person))
    with ledger.read() as connection:
        return tuple(_token(row) for row in connection.execute(wanted))


def find(ledger: Ledger, secret: str) -> Token | None:
    """Return the token that somebody shows; None when it is over, or never was."""
    now, key = stamp(ledger.clock()), digest(secret)
    valid = TOKEN.c.secret == key, TOKEN.c.revoked.is_(None), TOKEN.c.expires > now, ACCOUNT.c.disabled.is_(None)
    with ledger.read() as connection:
        row = connection.execute(select(*_COLUMNS).join(ACCOUNT).where(*valid)).one_or_none()
    if row is None:
        return None
    if row.last_used is None or row.last_used <= stamp(ledger.clock() - USED_EVERY):
        with contextlib.suppress(LedgerLockedError), ledger.write() as connection:  # the next use writes it
            connection.execute(update(TOKEN).where(TOKEN.c.id == row.id).values(last_used=now))
    return _token(row)


def _token(row: Row[Any]) -> Token:
    return Token(**row._mapping)
