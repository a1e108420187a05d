"""Who is told what, and when: properties over random courses, bounds, quiet hours, inhibition. No network, no clock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import time
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.alerts.course import APART, FEW, MOST, Course, Draft, Known, Line, Now, Phase
from exporters.alerts.inhibition import inhibited
from exporters.alerts.outbox import known_of, notice_of
from exporters.alerts.readers import Reader, readers_of
from exporters.alerts.trouble import Trouble, read, trouble, written
from exporters.alerts.words import span
from exporters.kit.alertmanager import inhibitions
from exporters.kit.settings import KitSettings
from inventory.finding import Place
from inventory.load import load
from inventory.model import AlertSettings, Person
from inventory.windows import Window
from tests.exporters.test_health import GOOD

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOON = 1_800_000_000.0 - 3 * 3600  # 12:00 there
SETTINGS = AlertSettings("tuyen", after=60, repeat=3600, group_wait=30)
COURSE = Course(SETTINGS, KitSettings())
READER = Reader("lan", "json://x", "en", frozenset({"a", "b", "c"}), whole=True)
PROVINCE = load(GOOD)


def down(office: str, since: float = NOON, district: str = "north") -> Trouble:
    labels = {"office": office, "name": office.upper(), "district": district, "tier": "commune", "cause": office}
    return trouble("OfficeDown", office, since, **labels)


def on_battery(office: str, since: float = NOON) -> Trouble:
    return trouble("UpsOnBattery", f"ups.{office}", since, office=office, device=f"ups.{office}", district="north")


def now(at: float, *troubles: Trouble) -> Now:
    return Now({one.id: one for one in troubles}, lambda _trouble: at, at, ZONE)


class Run:
    """One reader, looked at every five seconds; what is written for them is kept, as the ledger does."""

    def __init__(self, reader: Reader = READER, at: float = NOON) -> None:
        self.reader, self.known, self.at = reader, Known(), at
        self.drafts: list[tuple[float, Draft]] = []

    def play(self, seconds: float, *troubles: Trouble) -> "Run":
        end = self.at + seconds
        while self.at < end:
            self.at += 5
            for draft in COURSE.drafts(self.reader, self.known, now(self.at, *troubles)):
                self.known.take(draft.lines, self.at)
                self.drafts.append((self.at, draft))
        return self

    def kill(self) -> None:
        """Forget all but what was written down."""
        notices = [notice_of(draft, PROVINCE, at) for at, draft in self.drafts]
        self.known = known_of(notices).get(self.reader.key, Known())

    def lines(self) -> list[tuple[float, str, str]]:
        return [(at - NOON, line.phase, line.trouble.about) for at, draft in self.drafts for line in draft.lines]


def test_a_group_waits_and_is_one_message() -> None:
    run = Run().play(60, down("a"))
    run.play(100, down("a"), replace(down("b", NOON + 5), labels=down("a").labels))
    assert run.lines() == [(90, "firing", "a"), (90, "firing", "b")]
    assert len(run.drafts) == 1
    late = replace(down("c", NOON + 35), labels=down("a").labels)  # it is due at the very next look
    assert Run().play(160, down("a"), late).lines() == [(90, "firing", "a"), (125, "firing", "c")]


def test_what_concerns_others_is_not_told() -> None:
    assert Run().play(300, down("z")).lines() == []
    assert Run(replace(READER, whole=False)).play(900, trouble("ProvinceFilesBad", "", NOON)).lines() == []
    assert Run().play(1200, trouble("ProvinceFilesBad", "", NOON)).lines() == [(930, "firing", "")]  # the kit's wait


EVENTS = st.lists(
    st.tuples(
        st.sets(st.sampled_from("abc")), st.booleans(), st.booleans(), st.integers(1, 40).map(lambda count: 5.0 * count)
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(EVENTS)
def test_whatever_happens_each_end_is_told_once_and_only_to_who_knew(
    events: Sequence[tuple[set[str], bool, bool, float]],
) -> None:
    run, since = Run(), dict[str, float]()
    for offices, muted, killed, seconds in events:
        since = {office: since.get(office, run.at) for office in offices}
        run.play(seconds, *(replace(down(office, since[office]), muted=muted) for office in offices))
        if killed:
            run.kill()
    run.play(APART + 60)  # messages without end come further apart
    told: dict[str, float] = {}
    for at, phase, office in run.lines():
        if phase == Phase.FIRING:
            assert at - told.get(office, -SETTINGS.repeat) >= SETTINGS.repeat  # not twice, but after the time for it
            told[office] = at
        else:
            assert office in told
            del told[office]
    assert told == {}
    assert run.known.told == {}


def test_many_groups_at_once_are_one_message() -> None:
    several = [down(office, district=f"d{office}") for office in "abc"]
    assert len(Run().play(100, *several).drafts) == FEW == 3
    [(_at, draft)] = Run().play(100, *several, on_battery("a")).drafts
    assert len(draft.lines) == 4


def test_messages_without_end_become_fewer() -> None:
    run, offices = Run(replace(READER, offices=frozenset(map(str, range(100))))), list[Trouble]()
    for number in range(60):
        offices.append(down(str(number), run.at, district=f"d{number}"))
        run.play(60, *offices)
    moments = [at for at, _draft in run.drafts]
    assert len(moments) <= MOST + 3600 / APART + 1
    run.play(APART + 100, *offices)
    assert {about for _at, phase, about in run.lines() if phase == "firing"} == {one.about for one in offices}
    again = [about for at, _phase, about in run.lines() if at < 3600]
    assert len(again) == len(set(again))


def test_nobody_gets_up_for_a_warning() -> None:
    sleeper = replace(READER, quiet=Window(frozenset(range(7)), time(12), time(13)))
    run = Run(sleeper).play(1000, on_battery("a"), down("b"))
    assert run.lines() == [(90, "firing", "b")]
    run.play(2700, on_battery("a"), down("b"))
    assert [about for _at, _phase, about in run.lines()] == ["b", "ups.a"]
    assert run.lines()[1][0] >= 3600
    assert [about for _at, _phase, about in Run(sleeper).play(1000, on_battery("a")).play(3000).lines()] == []


def test_the_rules_of_the_kit_mute_what_follows() -> None:
    rules = inhibitions(PROVINCE)
    low = trouble("UpsBatteryLow", "ups.b", NOON, office="b", device="ups.b", district="north")
    found = {one.id: one.muted for one in inhibited([down("a"), on_battery("a"), on_battery("b"), low], rules)}
    assert found == {
        "OfficeDown:a": False,
        "UpsOnBattery:ups.a": True,  # its office is down
        "UpsOnBattery:ups.b": True,  # it is worse already
        "UpsBatteryLow:ups.b": False,
    }
    fast = trouble("ServiceBurnsFast", "one-stop", NOON, service="one-stop")
    slow = trouble("ServiceBurnsSlowly", "one-stop", NOON, service="one-stop")
    other = trouble("ServiceBurnsSlowly", "post", NOON, service="post")
    assert [one.muted for one in inhibited([fast, slow, other], rules)] == [False, True, False]


def test_what_is_written_down_is_read_again() -> None:
    one = replace(down("a"), value=0.25, behind=3, why="power", ups="ups.a")
    assert read(written(one)) == one
    assert read({**written(one), "name": "NoLongerKnown"}) is None
    draft = Draft(READER, (Line(Phase.FIRING, one, NOON),))
    assert known_of([notice_of(draft, PROVINCE, NOON)])[READER.key].told[one.id].trouble == one


def test_an_address_is_told_once_of_all_that_concerns_any_who_named_it() -> None:
    def person(account: str, under: str, *notify: str, role: str = "operator", language: str = "") -> Person:
        return Person(account, account, (role,), under, (), notify, Place("people.yaml"), language)

    people = {
        "lan": person("lan", "dong-yen", "json://x", "json://y?lang=en"),
        "nam": person("nam", "nam-yen", "json://x", language="en"),
        "thanh": person("thanh", "centre", "json://z", role="viewer"),
    }
    found = {reader.address: reader for reader in readers_of(replace(PROVINCE, people=people)).values()}
    assert found.keys() == {"json://x", "json://y?lang=en"}
    assert found["json://x"].offices == {"dong-yen", "nam-yen"}
    assert (found["json://x"].language, found["json://y?lang=en"].language) == ("vi", "en")
    assert not found["json://x"].whole
    assert all(reader.address not in reader.key for reader in found.values())


def test_spans_are_shown_as_people_read_them() -> None:
    assert [span(value) for value in (0, 0.35, 1, 65, 3600, 86400 * 6 + 3 * 3600 + 5, -90)] == [
        *("0s", "0.35s", "1s", "1m 5s", "1h 0m", "6d 3h", "-1m 30s")
    ]
