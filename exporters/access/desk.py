"""Lets people in and out: passwords, sessions and tokens, against the ledger and people.yaml as they now are.

Hashing takes 64 MiB, so at most two passwords are looked at at once, in threads. A wrong login is answered after the
same time whatever was wrong, so that nobody learns which names have an account.
"""

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from exporters.access import passwords
from exporters.access.rate import Rate
from exporters.access.visitor import Visitor, visitor_of
from inventory.model import Province
from ledger import accounts, sessions, tokens
from ledger.accounts import Account
from ledger.connection import Ledger

log = logging.getLogger("tuyen.access")
AT_ONCE = 2  # hashes
WAITING = 50  # logins; more are sent away
NOT_BEFORE = 1.0  # seconds until a wrong login is answered
T = TypeVar("T")


class TooManyError(Exception):
    """Too many logins; `seconds` until another one is heard."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, round(seconds + 0.5))
        super().__init__(f"too many logins; the next one in {self.seconds} s")


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody who is in: who, and what their forms must send along."""

    visitor: Visitor
    csrf: str


@dataclass
class Desk:
    """What the page asks; `open_ledger` is called once, at the first question, and `province` each time."""

    open_ledger: Callable[[], Ledger]
    province: Callable[[], Province]
    rate: Rate = field(default_factory=Rate)
    not_before: float = NOT_BEFORE
    _hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _waiting: int = 0
    _ledger: Ledger | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock)

    async def log_in(self, account: str, password: str, origin: str) -> str | None:
        """Return the secret of a new session; None when the account or the password is wrong, or the account locked.

        `origin` is the address that asks. Raises TooManyError and LedgerError.
        """
        wait = self.rate.take(origin)
        if wait > 0 or self._waiting >= WAITING:
            raise TooManyError(wait)
        began = time.monotonic()
        self._waiting += 1
        try:
            secret = await self._log_in(account, password, origin)
        finally:
            self._waiting -= 1
        if secret is not None:
            self.rate.give_back(origin)
            return secret
        log.warning("a login from %s was refused", origin)
        await asyncio.sleep(began + self.not_before - time.monotonic())
        return None

    async def _log_in(self, account: str, password: str, origin: str) -> str | None:
        known = account if account in self.province().people else ""  # nobody's account is called ""
        attempt = await self.ask(lambda ledger: accounts.begin_attempt(ledger, known))
        async with self._hashing:
            right = await asyncio.to_thread(passwords.fits, attempt.hash if attempt else None, password)
        if attempt is None:
            return None
        if not right:
            await self.ask(lambda ledger: accounts.fail(ledger, attempt, origin=origin))
            return None
        return await self._begin(attempt, origin)

    async def _begin(self, attempt: Account, origin: str) -> str | None:
        secret, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        begun = await self.ask(lambda ledger: sessions.begin(ledger, attempt, secret, csrf, origin=origin))
        return secret if begun else None

    async def of_session(self, secret: str, *, used: bool = True) -> Entered | None:
        """Return who holds this secret; None when the session is over. Raises LedgerError.

        `used` says that a person did something, and not the page by itself.
        """
        session = await self.ask(lambda ledger: sessions.find(ledger, secret, used=used))
        visitor = self._visitor(session.person) if session else None
        return Entered(visitor, session.csrf) if session and visitor else None

    async def of_token(self, secret: str) -> Visitor | None:
        """Return in whose name a program asks; None when its token is over. Raises LedgerError."""
        token = await self.ask(lambda ledger: tokens.find(ledger, secret))
        return self._visitor(token.person) if token else None

    async def log_out(self, secret: str, origin: str) -> None:
        """End a session. Raises LedgerError."""
        await self.ask(lambda ledger: sessions.end(ledger, secret, origin=origin))

    def _visitor(self, account: str) -> Visitor | None:
        province = self.province()
        person = province.people.get(account)
        return visitor_of(province, person) if person else None

    async def ask(self, question: Callable[[Ledger], T]) -> T:
        """Return what the ledger answers to a question, which is put in a thread. Raises LedgerError."""
        return await asyncio.to_thread(lambda: question(self.opened()))

    def opened(self) -> Ledger:
        """Return the ledger, open. Blocks, and raises LedgerError."""
        with self._opening:
            if self._ledger is None:
                passwords.prepare()
                self._ledger = self.open_ledger()
            return self._ledger

    def close(self) -> None:
        """Close the ledger."""
        with self._opening:
            if self._ledger is not None:
                self._ledger.close()
            self._ledger = None
