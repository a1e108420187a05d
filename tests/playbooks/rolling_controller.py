"""A controller in a process of its own, to be killed.

python -m tests.playbooks.rolling_controller PLACE ROLLOUT FOLDER

Its site reaches the devices of tests.playbooks.fleet. It says "open" before it takes the lease, "resumed" when all
that a dead controller left is settled, and "over" with the rollout's status; each with the seconds since its start.
"""

import socket
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BEGAN = time.monotonic()

from ledger.connection import open_ledger  # noqa: E402  (what importing takes is part of resuming)
from ledger.locks import take  # noqa: E402
from playbooks.rollout.journal import Journal  # noqa: E402
from playbooks.rollout.loop import Around, Controller  # noqa: E402
from playbooks.rollout.seams import Dispatch, Judgement, Report, Verdict  # noqa: E402
from playbooks.rollout.situation import World  # noqa: E402
from playbooks.rollout.state import Result  # noqa: E402
from tests.playbooks.rolling import LAN  # noqa: E402


class FleetSite:
    """Asks a device whether it is at target, and tells it to apply; its lock goes along."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(20)
        self._left: set[str] | None = None  # ids that a dead controller had begun; None before the first dispatch

    def dispatch(self, work: Sequence[Dispatch], report: Callable[[Report], None]) -> None:
        if self._left is None:
            self._left = {one.id for one in work if one.again}
            self._settled("")
        for one in work:
            self._pool.submit(self._work_on, one, report)

    def _settled(self, identity: str) -> None:
        assert self._left is not None
        if not identity or identity in self._left:
            self._left.discard(identity)
            if not self._left:
                say("resumed")

    def _work_on(self, one: Dispatch, report: Callable[[Report], None]) -> None:
        with take(self._folder / "locks", one.device, person="lan", doing="test", patience=60) as lock:
            answer = self.ask(one.device, "check")
            if answer == "change":
                answer = self.ask(one.device, f"apply {one.id}", lock.descriptor)
        results = {"at-target": Result.DONE, "done": Result.DONE, "failed": Result.FAILED}
        report(Report(one.id, one.device, results.get(answer, Result.UNREACHABLE), answer))
        self._settled(one.id)

    def ask(self, device: str, words: str, *descriptors: int) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._folder / f"{device}.sock"))
            socket.send_fds(connection, [words.encode()], descriptors)
            return connection.recv(1000).decode()

    def stop(self) -> None:
        self._pool.shutdown()

    def look(self, devices: Sequence[str]) -> Verdict:
        ill = [device for device in devices if self.ask(device, "check") != "at-target"]
        return Verdict(Judgement.ILL, f"{ill}: not at target") if ill else Verdict(Judgement.WELL)


def say(*words: object) -> None:
    print(*words, f"{time.monotonic() - BEGAN:.3f}", flush=True)


def main() -> None:
    place, rollout, folder = sys.argv[1:]
    with open_ledger(place if "://" in place else Path(place)) as ledger:
        site = FleetSite(Path(folder))
        around = Around(
            site=site,
            look=site.look,
            fitness=lambda _devices: {},
            notify=lambda notice: say("notice", notice.kind),
            world=lambda: World({}, retry=0.2, probe_interval=0.3),
        )
        journal = Journal(ledger, rollout, LAN)
        say("open")
        state = Controller(journal, around).run()
        say("over", state.status)


if __name__ == "__main__":
    main()
