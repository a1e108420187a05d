"""push-file over a weak link to real machines: 1 Mbit/s, one packet in twenty lost, and the way cut in the middle."""

import hashlib
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbooks.event import Doing, Event, Outcome
from playbooks.job import Step
from tests.playbooks.inside_lab import Box, boxes
from tests.playbooks.pushing import Push

WEAK, OTHER = "box.lower", "box.upper"
RATE, LOSS, DELAY = 1_000_000, 0.05, 0.03  # bit/s, a ratio, seconds one way
CUT = 24.0  # seconds, longer than a session may be silent
PATH = Path("/var/lib/firmware.bin")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Box]]:
    with boxes(tmp_path_factory.mktemp("push"), {WEAK: "light", OTHER: "light"}) as made:
        yield made


def push_to(box: Box, folder: Path, size: int, path: Path = PATH) -> Push:
    push = Push(folder, box.login, path, size)
    shutil.copy(box.known_hosts, push.known_hosts)
    return push


class Cutting:
    """Silences a machine for a while each time that the driver has told one more of some percentages."""

    def __init__(self, box: Box, percentages: list[int]) -> None:
        self.box, self.left, self.threads = box, percentages, list[threading.Thread]()

    def __call__(self, event: Event) -> None:
        told = re.match(r"(\d+) %", event.what) if isinstance(event, Doing) else None
        if told and self.left and int(told[1]) >= self.left[0]:
            del self.left[0]
            self.threads.append(threading.Thread(target=self._cut))
            self.threads[-1].start()

    def _cut(self) -> None:
        self.box.lab.cut([self.box.device])
        time.sleep(CUT)
        self.box.lab.restore([self.box.device])


def bring_over_the_weak_link(box: Box, folder: Path, size: int, percentages: list[int]) -> None:
    push = push_to(box, folder, size)
    push.listen = cutting = Cutting(box, list(percentages))
    box.lab.impair("lower.uplink", loss=LOSS, delay=DELAY, rate=RATE)
    try:
        ended = push.perform(Step.APPLY, timeout=1200, rate=None, tuyen={"bandwidth": 2 * RATE})
    finally:
        for thread in cutting.threads:
            thread.join(30)
        box.lab.restore()
    assert ended.outcome is Outcome.DONE, ended
    account = push.account()
    print(account)
    assert not cutting.left
    assert account.sessions == 1 + len(percentages)
    assert size <= account.payload <= 1.05 * size
    assert account.wire > size
    assert account.again > 0
    assert hashlib.sha256(push.source.read_bytes()).hexdigest() in box.root(f"sha256sum {PATH}")
    assert box.root(f"ls {PATH}*").split() == [str(PATH)]
    box.root(f"rm {PATH}")


def test_four_megabytes_with_a_cut_in_the_middle(lab: dict[str, Box], tmp_path: Path) -> None:
    bring_over_the_weak_link(lab[WEAK], tmp_path, 4_000_000, [40])


@pytest.mark.soak
def test_twenty_megabytes_with_three_cuts(lab: dict[str, Box], tmp_path: Path) -> None:
    bring_over_the_weak_link(lab[WEAK], tmp_path, 20_000_000, [20, 50, 80])


def test_full_disk_is_told_before_anything_is_sent(lab: dict[str, Box], tmp_path: Path) -> None:
    box = lab[OTHER]
    push = push_to(box, tmp_path, 2_000_000)
    box.lab.fill_disk(box.device)
    try:
        for step in (Step.CHECK, Step.APPLY):
            ended = push.perform(step)
            assert ended.outcome is Outcome.FAILED
            assert re.match(rf"the disk is full: {PATH} needs 2000000 bytes more, and \d+ are free", ended.reason)
    finally:
        box.lab.fill_disk(box.device, full=False)
    assert push.perform(Step.APPLY).outcome is Outcome.DONE


def test_disk_that_fills_meanwhile(lab: dict[str, Box], tmp_path: Path) -> None:
    box = lab[OTHER]
    push = push_to(box, tmp_path, 4_000_000, Path("/var/lib/other.bin"))

    def fill(event: Event) -> None:
        if isinstance(event, Doing) and "%" in event.what:
            box.lab.fill_disk(box.device)

    push.listen = fill
    try:
        ended = push.perform(Step.APPLY, rate=8_000)
    finally:
        box.lab.fill_disk(box.device, full=False)
    assert ended.outcome is Outcome.FAILED
    assert re.match(r"the disk is full: /var/lib/other.bin needs \d+ bytes more, and \d+ are free", ended.reason)
    push.listen = None
    assert push.perform(Step.APPLY).outcome is Outcome.DONE
    assert push.payload() < 4_000_000


def test_read_only_disk(lab: dict[str, Box], tmp_path: Path) -> None:
    box = lab[OTHER]
    box.root("mkdir -p /srv/fixed && mount -t tmpfs -o ro tmpfs /srv/fixed")
    push = push_to(box, tmp_path, 1000, Path("/srv/fixed/x.bin"))
    for step in (Step.CHECK, Step.APPLY):
        assert push.perform(step).reason == "/srv/fixed is read-only on the device"


def test_machine_that_loses_its_power_meanwhile(lab: dict[str, Box], tmp_path: Path) -> None:
    box = lab[OTHER]
    push = push_to(box, tmp_path, 4_000_000, Path("/var/lib/third.bin"))
    off = threading.Event()

    def cut_power(event: Event) -> None:
        if isinstance(event, Doing) and "%" in event.what and not off.is_set():
            off.set()
            box.lab.power(box.device, on=False)
            box.lab.power(box.device, on=True)

    push.listen = cut_power
    assert push.perform(Step.APPLY, rate=8_000, timeout=90).outcome is Outcome.DONE
    assert push.payload() <= 1.05 * 4_000_000
