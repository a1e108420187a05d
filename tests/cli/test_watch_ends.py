"""The watch does not go on without one of its parts: it ends, and systemd starts it anew."""

import asyncio
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from cli import watch as command
from exporters.metrics import WatchMetrics
from exporters.watch import Watch
from inventory.load import Loader
from tests.exporters.test_health import GOOD


def test_a_part_that_fails_ends_all_of_it_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_what: object) -> None:
        await asyncio.sleep(0.5)
        raise ZeroDivisionError("a mistake of ours")

    loader = Loader(Path(shutil.copytree(GOOD, tmp_path / "province")))
    province = loader.load()
    nobody = replace(province, devices={}, services={})
    watching = Watch(nobody)
    assert watching.asked == {}
    monkeypatch.setattr(command, "_reload", fail)

    async def serve(listener: socket.socket) -> None:
        serving = command._serve(watching, WatchMetrics(watching), loader, listener, None, once=False)
        task = asyncio.create_task(serving)
        assert (await asyncio.wait({task}, timeout=60))[0] == {task}, "it goes on"
        await task

    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(ZeroDivisionError):
        asyncio.run(serve(listener))
