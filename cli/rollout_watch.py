"""`tuyen rollout status`: how rollouts stand, once or on and on: a live board on a terminal, lines when piped."""

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cli.output import console, print_json, say
from cli.rollout_drive import tell_steps
from cli.rollout_state import as_it_can_be_read, see
from cli.rollout_view import Board
from cli.settings import Format, Settings
from inventory.finding import InventoryError
from inventory.language import _
from inventory.load import Loader
from inventory.model import Province
from ledger.connection import Ledger
from ledger.records import Actor, RolloutEvent
from ledger.rollout_history import rollouts, unended
from playbooks.rollout.approval import Approvals
from playbooks.rollout.journal import Journal

if TYPE_CHECKING:
    from rich.console import RenderableType

EVERY = 2.0  # seconds between two looks


@dataclass
class Looking:
    """What is looked at: the rollout of that name or id; without one all under way, or else the newest.

    The province is what `loader` finds at each look: somebody may be given a key, and approve, meanwhile.
    """

    ledger: Ledger
    loader: Loader
    province: Province
    name: str
    _heard: dict[str, Journal] = field(default_factory=dict)  # by id: how far their course was told
    _approvals: dict[str, Approvals] = field(default_factory=dict)  # by id, as they were seen last

    def boards(self) -> list[Board]:
        """Return how they stand now. Raises UnknownRolloutError, LedgerError."""
        with suppress(InventoryError):  # somebody is just editing
            self.province = self.loader.load()
        keys = [self.name] if self.name else [one.id for one in unended(self.ledger)]
        keys = keys or [one.id for one in rollouts(self.ledger, limit=1)]
        return [Board(self.ledger, self.province, see(self.ledger, self.province, key)) for key in keys]

    def tell(self) -> None:
        """Say what has happened since the last time, a line each; of one that is new here, how it stands."""
        for board in self.boards():
            seen = board.seen
            self._approvals[seen.record.id] = seen.approvals
            if seen.record.id not in self._heard:
                board.show()
                say("")
                journal = Journal(self.ledger, seen.record.id, Actor("", ""), partial(self._counts, seen.record.id))
                journal.read()
                self._heard[seen.record.id] = journal
        for journal in self._heard.values():
            tell_steps(journal, ZoneInfo(self.province.time_zone))

    def _counts(self, rollout: str, event: RolloutEvent) -> bool:
        return self._approvals[rollout].counts(event)


def show_boards(options: Settings, name: str, form: Format) -> None:
    """Print how one rollout stands, or all that are under way; the newest one when none is."""
    province, _whole = as_it_can_be_read(options)
    with options.ledger(province) as ledger:
        boards = Looking(ledger, Loader(options.folder()), province, name).boards()
        if form is Format.JSON:
            print_json([item for board in boards for item in board.items()])
            return
        for number, board in enumerate(boards):
            if number:
                say("")
            board.show()
        if not boards:
            say(_nothing())


def _nothing() -> str:
    return _("there was no rollout yet; declare one in rollouts/, then: tuyen rollout plan NAME")


def watch_boards(options: Settings, name: str, form: Format) -> None:
    """Look again and again until Ctrl-C: JSON for programs, a board that follows on a terminal, lines when piped."""
    province, _whole = as_it_can_be_read(options)
    with options.ledger(province) as ledger:
        looking = Looking(ledger, Loader(options.folder()), province, name)
        if form is Format.JSON:
            for boards in _looks(looking):
                print_json([item for board in boards for item in board.items()])
                sys.stdout.flush()
        elif sys.stdout.isatty():
            _follow(looking)
        else:
            while True:
                looking.tell()
                time.sleep(EVERY)


def _looks(looking: Looking) -> Iterator[list[Board]]:
    while True:
        yield looking.boards()
        time.sleep(EVERY)


def _follow(looking: Looking) -> None:
    """Keep one board on the screen; the last one stays there."""
    from rich.live import Live

    with Live(console=console(), auto_refresh=False, vertical_overflow="ellipsis") as live:
        for boards in _looks(looking):
            live.update(_drawn(boards), refresh=True)


def _drawn(boards: list[Board]) -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    if not boards:
        return Text(_nothing())
    parts: list[RenderableType] = []
    for board in boards:
        parts += [Text(), *board.drawn()] if parts else board.drawn()
    return Group(*parts)
