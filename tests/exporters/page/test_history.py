"""What the page reads from the ledger, and for how long it believes it."""

import asyncio
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from exporters.page.history import History
from ledger.connection import Ledger, open_ledger
from ledger.leases import acquire
from ledger.outages import WATCH
from ledger.records import Actor
from ledger.watching import Day, begin_span, extend_span


def test_a_page_does_not_wait_for_a_ledger_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporters.page.history.PATIENCE", 0.2)
    hangs, answers = threading.Event(), threading.Event()

    def slowly() -> Ledger:
        hangs.set()
        assert answers.wait(60)
        return open_ledger(tmp_path / "ledger.sqlite")

    history = History(slowly, tuple, ZoneInfo("Asia/Ho_Chi_Minh"))

    async def look() -> None:
        assert await history.outages() is None
        assert hangs.is_set()
        answers.set()
        found = None
        for _turn in range(600):
            found = found if found is not None else await history.outages()
            await asyncio.sleep(0 if found is not None else 0.1)
        assert found == ()

    asyncio.run(look())
    history.close()


def test_what_is_counted_of_yesterday_after_midnight_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    history = History(partial(open_ledger, file), tuple, ZoneInfo("Asia/Ho_Chi_Minh"))
    yesterday = str(history.today() - timedelta(days=1))
    with open_ledger(file) as ledger:
        token = acquire(ledger, WATCH, actor=Actor("watch", "watch"), seconds=600).token
        span = begin_span(ledger, ledger.clock(), token=token)

        def count(**seconds: float) -> None:
            extend_span(ledger, span, ledger.clock(), [Day(yesterday, "office", "an-bien", **seconds)], token=token)  # type: ignore[arg-type]

        def shown() -> tuple[float | None, float | None]:
            history._kept.clear()  # a minute passes by
            bars = asyncio.run(history.bars_of_province())
            assert bars is not None
            return bars.bars[-2].up, bars.up

        assert shown() == (None, None)
        count(up=300)
        assert shown() == (1, 1)
        count(down=100)
        assert shown() == (0.75, 0.75)
    history.close()
