"""States kept up to date reading by reading are those that judging everything anew tells."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.large import write_province
from exporters.health import judge
from exporters.judging import Judging
from exporters.questions import Key
from exporters.reading import Reading
from exporters.watch import Watch
from inventory.load import load
from inventory.topology import State
from tests.exporters.test_health import GOOD, _all_up

PROVINCE = load(GOOD)
KEYS = [*_all_up(PROVINCE), ("web.centre", "https", "one-stop", "x"), ("box.dong-yen", "ssh", "one-stop", "y")]
FINE = Reading("", "", True, False, "", 0.1, 0.0)
ANSWERS = {
    "fine": FINE,
    "degraded": replace(FINE, degraded=True),
    "refused": replace(FINE, success=False),
    "silent": replace(FINE, success=False, heard=False),
    "unasked": replace(FINE, success=False, heard=False, asked=False),
}
EVENTS = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from([*ANSWERS, "overdue"]), st.booleans()), max_size=60)


class Kept:
    """Readings as a watch has them, and what judges them as they come."""

    def __init__(self) -> None:
        self.readings: dict[Key, Reading] = {}
        self.silent: set[str] = set()
        self.unheard = {key[0] for key in KEYS}
        self.judging = Judging(PROVINCE)

    def take(self, key: Key, answer: str, confirmed: bool) -> None:
        if answer == "overdue":
            self.readings.pop(key, None)
        else:
            self.readings[key] = replace(ANSWERS[answer], device=key[0], module=key[1], reason=answer)
        if answer == "silent" and confirmed:
            self.silent.add(key[0])
        else:
            self.silent.discard(key[0])
        if answer not in ("silent", "overdue") or confirmed:
            self.unheard.discard(key[0])
        self.judging.touch(key[0])

    def check(self) -> None:
        kept = self.judging.health(
            lambda device: [(key, reading) for key, reading in self.readings.items() if key[0] == device],
            self.silent,
            self.unheard,
        )
        anew = judge(PROVINCE, self.readings, self.silent, self.unheard)
        assert dict(kept.devices) == dict(anew.devices)
        assert dict(kept.offices) == dict(anew.offices)
        assert dict(kept.services) == dict(anew.services)
        assert kept.reasons.keys() == anew.reasons.keys()


@settings(max_examples=200, deadline=None)
@given(EVENTS, st.integers(1, 5))
def test_reading_by_reading_is_as_all_at_once(events: Sequence[tuple[Key, str, bool]], at_once: int) -> None:
    kept = Kept()
    for number, event in enumerate(events):
        kept.take(*event)
        if number % at_once == 0:
            kept.check()
    kept.check()


def test_a_district_that_comes_back_takes_its_communes_with_it() -> None:
    kept = Kept()
    for answer in ("silent", "fine"):
        for key in _all_up(PROVINCE):
            if key[0].endswith((".an-bien", ".dong-yen", ".nam-yen")):
                kept.take(key, answer, confirmed=True)
        kept.check()
    states = kept.judging.health(lambda _device: (), kept.silent).offices
    assert {states[office] for office in ("an-bien", "dong-yen", "nam-yen")} == {State.UP}


def test_sixteen_thousand_nodes_are_judged_again_in_milliseconds(tmp_path: Path) -> None:
    write_province(tmp_path)
    watch = Watch(load(tmp_path))
    assert len(watch.devices_asked) + len(watch.province.offices) > 16_000

    def hear(answer: str, *, office: str = "") -> float:
        """Hand over an answer of every device, or of an office's, and return the seconds that judging then takes."""
        for question in watch.asked.values():
            if not office or watch.province.devices[question.device].office == office:
                reading = replace(ANSWERS[answer], device=question.device, module=question.module.name)
                for _turn in range(2):
                    watch._take(question, reading)
        start = time.perf_counter()
        watch.health()
        return time.perf_counter() - start

    hear("fine")
    assert min(hear("degraded", office="c7"), hear("fine", office="c7")) < 0.01  # nothing changed its way
    took = min(hear(answer, office="c8") for answer in ("silent", "fine") * 3)  # an office falls, and comes back
    assert took < 0.1  # about 5 ms on an idle machine
    hear("silent", office="c8")
    assert watch.health().offices["c8"] is State.DOWN
    assert set(watch.health().offices.values()) == {State.UP, State.DOWN}
