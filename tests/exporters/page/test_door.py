"""The page's listener: a renewed certificate is shown without a restart, an unfit one refused, and it ends in order."""

import asyncio
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from cli import watch_page
from cli.watch_page import Door, open_door, serve_page
from inventory.finding import Place
from inventory.load import load
from inventory.model import Province, StatusPage
from ledger.connection import FILE
from tests.exporters.authority import Authority
from tests.exporters.test_health import GOOD
from tests.exporters.test_outages_keeping import Played
from tests.journeys.conftest import wait_for


def _shown(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=60)


def test_a_renewed_certificate_is_shown_without_a_restart(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_page, "LOOK_EVERY", 0.1)
    authority = Authority(tmp_path)
    file = authority.issue("page", ["localhost"], 30)
    played = Played(tmp_path / FILE, folder=folder)

    async def run() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        serving = asyncio.create_task(serve_page(Door(listener, file, file, True), played.keeping))
        first = await asyncio.to_thread(_shown, port)
        authority.issue("page", ["localhost"], 60)
        await asyncio.to_thread(wait_for, lambda: _shown(port) != first, 60, 0.1)
        file.write_text("half of it")
        await asyncio.sleep(0.5)
        assert await asyncio.to_thread(_shown, port) != first
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    asyncio.run(run())


@pytest.fixture
def province() -> Province:
    return load(GOOD)


def _with(province: Province, certificate: Path, key: Path) -> Province:
    page = StatusPage("127.0.0.1:0", str(certificate), str(key), True, Place("province.yaml", 1, 1))
    return replace(province, page=page)


def test_nobody_asks_for_a_page_and_there_is_none(province: Province) -> None:
    assert open_door(province, "", -1) is None


def test_a_key_with_a_password_is_refused_and_no_one_is_asked_for_it(province: Province, tmp_path: Path) -> None:
    good = Authority(tmp_path).issue("page", ["localhost"], 30)
    locked = tmp_path / "locked.key"
    key = ec.generate_private_key(ec.SECP256R1())
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    for bad in (locked, tmp_path / "none.key"):
        with pytest.raises(typer.BadParameter):
            open_door(_with(province, good, bad), "", -1)
    door = open_door(_with(province, good, good), "", -1)
    assert door
    door.listener.close()
