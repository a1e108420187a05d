"""What people are told of what is out: written down before it is sent, and again once it was taken.

A process may be killed at any moment: what was written down and not yet taken is sent again by the next one. So nothing
is lost, and a message comes twice only when the kill falls between its delivery and the line that says so.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from ledger.connection import Ledger
from ledger.leases import check_token
from ledger.outages import WATCH
from ledger.records import plain, stamp
from ledger.schema import NOTICE


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one address of a person; `address` is its SHA-256 in hex, `alerts` JSON: what it tells.

    `sent` is None until somebody took it, `given_up` until nobody tries any more.
    """

    id: str
    made: str
    person: str
    address: str
    title: str
    text: str
    alerts: Sequence[Mapping[str, Any]]
    tries: int = 0
    sent: str | None = None
    given_up: str | None = None


def intend(ledger: Ledger, notices: Sequence[Notice], *, token: int) -> None:
    """Write down what is going to be sent, all or nothing. Raises LeaseLostError."""
    with ledger.write() as connection:
        check_token(connection, WATCH, token)
        connection.execute(insert(NOTICE), [_row(notice) for notice in notices])


def _row(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "made": notice.made,
        "person": plain(notice.person),
        "address": notice.address,
        "title": plain(notice.title),
        "text": plain(notice.text),
        "alerts": plain(json.dumps(list(notice.alerts), ensure_ascii=False, sort_keys=True)),
        "tries": notice.tries,
    }


def settle(ledger: Ledger, notice: str, at: datetime, *, taken: bool, last: bool = False) -> None:
    """Write down that a message was taken, or that it was not; then, if this was the last try, it is given up.

    It takes no lease: what was sent was sent, whoever writes now.
    """
    said: dict[str, Any] = {"tries": NOTICE.c.tries + 1}
    if taken:
        said["sent"] = stamp(at)
    elif last:
        said["given_up"] = stamp(at)
    with ledger.write() as connection:
        connection.execute(update(NOTICE).where(NOTICE.c.id == notice).values(said))


def notices_since(ledger: Ledger, since: datetime) -> tuple[Notice, ...]:
    """Return what was written down since then, oldest first."""
    wanted = select(NOTICE).where(NOTICE.c.made >= stamp(since)).order_by(NOTICE.c.made, NOTICE.c.id)
    with ledger.read() as connection:
        return tuple(_notice(row) for row in connection.execute(wanted))


def forget_notices_before(ledger: Ledger, before: datetime, *, token: int) -> int:
    """Delete what was written down before then, and return how many messages that were."""
    with ledger.write() as connection:
        check_token(connection, WATCH, token)
        return connection.execute(delete(NOTICE).where(NOTICE.c.made < stamp(before))).rowcount


def _notice(row: Row[Any]) -> Notice:
    return Notice(**{**row._mapping, "alerts": tuple(json.loads(row.alerts))})
