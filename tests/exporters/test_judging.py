"""States kept up to date reading by reading are those that judging everything anew tells."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.health import judge
from exporters.judging import Judging
from exporters.questions import Key
from exporters.reading import Reading
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
        self.judging.touch(key[0])

    def check(self) -> None:
        kept = self.judging.health(
            lambda device: [(key, reading) for key, reading in self.readings.items() if key[0] == device], self.silent
        )
        anew = judge(PROVINCE, self.readings, self.silent)
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
