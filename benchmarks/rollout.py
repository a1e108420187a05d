"""The loop of a rollout: 200 devices on which nothing is to be done, in five waves, beside a bare pool of threads."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.figure import Figure, fastest
from ledger.connection import Ledger, open_ledger
from playbooks.rollout.journal import Journal
from playbooks.rollout.loop import Around, Controller
from playbooks.rollout.seams import Dispatch, Judgement, Report, Verdict
from playbooks.rollout.situation import World
from playbooks.rollout.state import Result, Status
from tests.playbooks.rolling import LAN, begin, plan_of_waves

PLAN = plan_of_waves(2, 18, 60, 60, 60, parallel=20, days=10_000)


class Pool:
    """A site on which there is nothing to do."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(PLAN.parallel)

    def dispatch(self, work: Sequence[Dispatch], report: Callable[[Report], None]) -> None:
        for one in work:
            self._pool.submit(_work_on, one, report)

    def stop(self) -> None:
        self._pool.shutdown()


def _work_on(one: Dispatch, report: Callable[[Report], None]) -> None:
    report(Report(one.id, one.device, nothing(one.device)))


def nothing(_device: str) -> Result:
    """Do what is to be done on a device."""
    return Result.DONE


def measure() -> Iterator[Figure]:
    """Yield the seconds of the fastest of some rollouts, and of the pool alone."""
    with tempfile.TemporaryDirectory() as name, open_ledger(Path(name) / "ledger.sqlite") as ledger:
        ours, bare = fastest(lambda: _rollout(ledger)), fastest(_bare)
    what = f"a rollout of {len(PLAN.devices)} devices with nothing to do, in {len(PLAN.waves)} waves"
    yield Figure(what, ours, "s", "a bare pool of threads, no ledger", bare)


def _rollout(ledger: Ledger) -> None:
    around = Around(
        site=Pool(),
        look=lambda _devices: Verdict(Judgement.WELL),
        fitness=lambda _devices: {},
        notify=lambda _notice: None,
        world=lambda: World({}),
    )
    state = Controller(Journal(ledger, begin(ledger, PLAN), LAN), around).run()
    assert state.status is Status.ENDED


def _bare() -> None:
    with ThreadPoolExecutor(PLAN.parallel) as pool:
        for wave in PLAN.waves:
            assert set(pool.map(nothing, wave.devices)) == {Result.DONE}
