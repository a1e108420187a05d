"""What a running watch does when the province's files change: takes over what can be used, leaves aside what cannot."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli import watch as command
from cli.knowledge import gather
from exporters.metrics import WatchMetrics
from exporters.watch import Watch
from inventory.load import Loader

GOOD = Path(__file__).parents[1] / "provinces" / "good"
SECONDS = 20.0


def test_a_unit_that_ends_does_not_keep_a_watch_from_what_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(GOOD, tmp_path / "good"))
    monkeypatch.setattr(command, "RELOAD_EVERY", 0.05)
    _change(folder / "units.yaml", "name: Xã Nam Yên,", "name: Xã Nam Yên, until: 2020-01-01, into: [dong-yen],")
    loader = Loader(folder)
    province = loader.load()
    watching = Watch(province, gather(folder, province))

    async def course() -> None:
        reloading = asyncio.create_task(command._reload(watching, WatchMetrics(watching), loader))
        _change(folder / "units.yaml", "name: Huyện An Biên", "name: Huyện An Biên mới")
        await _until(lambda: watching.province.offices["an-bien"].name == "Huyện An Biên mới")
        assert watching.load_good
        _change(folder / "kinds.yaml", "role: router", "role: ruter")
        await _until(lambda: not watching.load_good)
        assert watching.province.offices["an-bien"].name == "Huyện An Biên mới"
        reloading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reloading

    asyncio.run(course())


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


async def _until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
