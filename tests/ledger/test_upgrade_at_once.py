"""Two processes of a newer tuyen that open an older ledger at once: one upgrades, the other finds it done."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ledger.connection import Ledger, connect, open_ledger
from ledger.schema import HEAD
from ledger.upgrade import upgrade
from tests.ledger.test_opening import next_scripts

SECONDS = 30
SLOWLY = """
    import pathlib, time
    pathlib.Path({begun!r}).touch()
    while not pathlib.Path({go_on!r}).exists():
        time.sleep(0.01)
"""


def wait_for(what: str, ready: "threading.Lock | Path") -> None:
    end = time.monotonic() + SECONDS
    while not (ready.exists() if isinstance(ready, Path) else ready.locked()):
        assert time.monotonic() < end, what
        time.sleep(0.01)


def test_the_second_finds_it_done_and_copies_nothing(tmp_path: Path) -> None:
    file, begun, go_on = tmp_path / "ledger.sqlite", tmp_path / "begun", tmp_path / "go-on"
    open_ledger(file).close()
    scripts = next_scripts(tmp_path, SLOWLY.format(begun=str(begun), go_on=str(go_on)).strip())

    def bring_up(ledger: Ledger) -> None:
        upgrade(ledger, scripts, "9999")

    with (
        connect(file, patience=SECONDS) as first,
        connect(file, patience=SECONDS) as second,
        ThreadPoolExecutor(2) as at,
    ):
        upgrading = at.submit(bring_up, first)
        wait_for("the first upgrades", begun)
        waiting = at.submit(bring_up, second)
        wait_for("the second has read the old revision, and waits to write", second._turn)
        go_on.touch()
        upgrading.result(SECONDS)
        waiting.result(SECONDS)
    copies = sorted(made.name for made in tmp_path.glob("*.before-upgrade-*"))
    assert copies == [f"ledger.sqlite.before-upgrade-from-{HEAD}"]
