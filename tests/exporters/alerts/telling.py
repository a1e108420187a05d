"""A watch whose readings are handed to it, and its alerts, which reach a real web hook; second by second."""

import asyncio
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from exporters.alerts.alerting import EVERY, Alerting
from exporters.alerts.outbox import Outbox
from exporters.reading import Metric, Reading, metric
from ledger.connection import open_ledger
from tests.exporters.test_health import GOOD
from tests.exporters.test_outages_keeping import START, Played

ALERTS = "alerts: {after: 60 s, group_wait: 10 s, repeat: 10 m}\n"
PEOPLE = """\
people:
  lan:
    {{name: Nguyễn Thị Lan, roles: [operator], under: centre, notify: ["json://127.0.0.1:{port}/lan"]}}
  huong:
    {{name: Trần Hương, roles: [approver], under: an-bien, language: en, notify: ["json://127.0.0.1:{port}/huong"]}}
  dong:
    {{name: Lê Đông, roles: [operator], under: dong-yen, language: en, notify: ["json://127.0.0.1:{port}/dong"]}}
  thanh:
    {{name: Đỗ Thanh, roles: [viewer], under: centre, notify: ["json://127.0.0.1:{port}/thanh"]}}
"""
Message = tuple[str, str, str]  # who, title, text


class Hook(BaseHTTPRequestHandler):
    """Keeps what is posted; refuses it while `server.refuses`."""

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.refuses:  # type: ignore[attr-defined]
            self.server.heard.append((self.path.strip("/"), told["title"], told["message"]))  # type: ignore[attr-defined]
        self.send_response(500 if self.server.refuses else 200)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        return


class HookServer(ThreadingHTTPServer):
    """A web hook on loopback."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hook)
        self.heard: list[Message] = []
        self.refuses = False

    def taken(self) -> list[Message]:
        """Return what came since the last time, sorted by who was told."""
        found, self.heard[:] = sorted(self.heard), []
        return found


@contextmanager
def hook() -> Iterator[HookServer]:
    with HookServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def province_told(folder: Path, port: int, head: str = ALERTS) -> Path:
    """Make the good province with people who listen at that port."""
    made = Path(shutil.copytree(GOOD, folder, ignore=shutil.ignore_patterns(".tuyen")))
    with (made / "province.yaml").open("a") as file:
        file.write(head)
    (made / "people.yaml").write_text(PEOPLE.format(port=port))
    return made


class Telling(Played):
    """A watch in simulated time whose alerts go out for real."""

    def __init__(self, folder: Path, at: float = START, patience: float = 5) -> None:
        self.ledger_file = folder / "ledger.sqlite"
        super().__init__(self.ledger_file, at, patience, folder)
        self.alerting = Alerting(self.keeping, Outbox(partial(open_ledger, self.ledger_file, patience=patience)))
        self.say()  # before it, nobody listened

    def pass_by(self, seconds: int) -> None:
        async def look() -> None:
            for _second in range(seconds):
                self.at += 1
                await self.keeping._once(self.at)
                if self.at % EVERY == 0:
                    await self.alerting._once(self.at)
                    await self.alerting._mail.end()

        asyncio.run(look())

    def hear(self, device: str, module: str, *metrics: Metric, silent: bool = False) -> None:
        """Let one question of a device be answered so, by a device that is well otherwise."""
        for key, question in self.watch.asked.items():
            if key[:2] == (device, module):
                bad = any(one.name.endswith("on_battery") and one.value for one in metrics)
                reading = Reading(device, module, not silent, bad, "as told", 0.1, self.at, metrics, heard=not silent)
                self.watch._take(question, reading)
                return
        raise AssertionError(f"{device} is not asked {module}")

    def kill(self) -> None:
        super().kill()
        self.alerting._outbox.shut()


def on_battery(value: bool) -> Metric:
    return metric("tuyen_probe_ups_on_battery", value)
