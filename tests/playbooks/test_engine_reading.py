"""The engine where nothing is going to be changed: it holds nobody up, and waits for nobody."""

from pathlib import Path

import pytest

from ledger.connection import FILE, open_ledger
from ledger.history import tasks_of_device
from ledger.states import State
from tests.playbooks.filing import BOXES, make_province, use

A, B = BOXES
pytestmark = pytest.mark.usefixtures("filing")


def test_who_only_reads_neither_holds_a_device_nor_waits_for_one(tmp_path: Path) -> None:
    folder = make_province(tmp_path)
    with use(folder, A) as changing, use(folder, only_reads=True) as reading, use(folder, B) as other:
        assert (changing.busy, reading.busy, other.busy) == ({}, {}, {})
        assert [target.id for target in reading.targets] == [A, B]
        plan = reading.check()
        assert set(changing.apply(changing.check())) == {A}
        with pytest.raises(AssertionError, match="no lock is held"):
            reading.apply(plan)


def test_who_only_reads_settles_nothing(tmp_path: Path) -> None:
    folder = make_province(tmp_path)

    def is_now() -> State:
        with open_ledger(folder / FILE) as ledger:
            return tasks_of_device(ledger, A)[0].state

    with use(folder, A) as session:
        plan = session.check()
        session.stop.set()
        session.apply(plan)
    (folder / "devices" / A).write_text("wanted")
    with use(folder, A, only_reads=True) as reading:
        reading.check()
    assert is_now() is State.INTERRUPTED
    with use(folder, A) as session:
        session.check()
    assert is_now() is State.UNCHANGED
