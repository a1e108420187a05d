"""The watch and its parts: without one of them it ends, for systemd to start it anew; and what it asks for itself."""

import asyncio
import shutil
import socket
import subprocess
import sys
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


@pytest.mark.parametrize(("soft", "hard", "made"), [(256, 4096, 4096), (256, 100_000, 65536), (4096, 4096, 4096)])
def test_it_may_have_as_many_files_open_as_it_needs(soft: int, hard: int, made: int) -> None:
    program = (
        "import resource; files = resource.RLIMIT_NOFILE;"
        f"resource.setrlimit(files, ({soft}, min({hard}, resource.getrlimit(files)[1])));"
        "from cli.watch import allow_many_files; allow_many_files(); print(*resource.getrlimit(files))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    now, most = map(int, done.stdout.split())
    assert now == min(made, most)
