"""Where troubles come from: pings of lines, outages of services, the watch itself; judged as the kit's rules do."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from exporters.alerts.lines import Lines
from exporters.alerts.own import Own
from exporters.alerts.services import Services, burns
from exporters.alerts.signs import Signs
from exporters.kit.course_alerts import FAST, SLOWLY, STEADY
from exporters.kit.machine_alerts import CLOCK_OFF, EARLY, LOW_CHARGE, SOON
from exporters.reading import Reading, metric
from exporters.watch import Watch
from inventory.load import load
from ledger.outages import Outage
from ledger.records import stamp
from tests.exporters.test_health import GOOD

NOW = 1_800_000_000.0


@pytest.fixture
def watch() -> Watch:
    return Watch(load(GOOD))


def ping(watch: Watch, office: str, at: float, loss: float = 0.0, trip: float = 0.01) -> None:
    """Let the router of an office answer a ping, or lose all of it."""
    question = watch.asked[f"router.{office}", "icmp", "", ""]
    heard = loss < 1
    metrics = (metric("tuyen_probe_icmp_loss_ratio", loss), metric("probe_icmp_duration_seconds", trip, phase="rtt"))
    reading = Reading(
        question.device, "icmp", heard, heard and loss > 0, "", 0.1, at, metrics[: 1 + heard], heard=heard
    )
    watch._take(question, reading)


def names(lines: Lines, at: float) -> dict[str, tuple[float, bool]]:
    return {one.id: (round(one.value, 3), one.muted) for one in lines.troubles(at)}


def test_a_line_that_loses_is_told_until_it_is_well_for_ten_minutes(watch: Watch) -> None:
    lines = Lines(watch)
    for number in range(40):
        ping(watch, "dong-yen", NOW + 15 * number, loss=1.0 if number % 5 == 0 else 0.0)
    assert names(lines, NOW + 600) == {"LinkLoss:dong-yen": (0.2, False)}
    [found] = lines.troubles(NOW + 605)
    assert found.labels["name"] == "Xã Đông Yên"
    assert found.since == NOW + 600
    for number in range(40, 90):
        ping(watch, "dong-yen", NOW + 15 * number)
    assert names(lines, NOW + 1340) == {}
    assert lines.ended(found, NOW + 1340) == NOW + 1340


def test_a_line_behind_a_bad_one_is_muted_and_a_new_watch_calls_nothing_over(watch: Watch) -> None:
    lines = Lines(watch)
    for number in range(10):
        for office in ("an-bien", "dong-yen"):
            ping(watch, office, NOW + 15 * number, trip=0.5)
    found = {one.id: one for one in lines.troubles(NOW + 150)}
    assert {name: one.muted for name, one in found.items()} == {"LinkSlow:an-bien": False, "LinkSlow:dong-yen": True}
    assert Lines(watch).ended(found["LinkSlow:an-bien"], NOW) is None


def test_an_outage_tells_nothing_of_the_line(watch: Watch) -> None:
    lines = Lines(watch)
    for office in watch.province.offices:
        ping(watch, office, NOW)
    for key, question in watch.asked.items():
        if key[0].endswith(".dong-yen"):
            silent = Reading(key[0], key[1], False, False, "no answer", 1, NOW, heard=False)
            for _turn in range(12):
                watch._take(question, silent)
    assert names(lines, NOW + 10) == {}
    for _turn in range(6):
        ping(watch, "dong-yen", NOW + 20)
    assert names(lines, NOW + 30) == {}


def outage(began: float, ended: float | None, state: str = "down", root: str | None = None) -> Outage:
    times = [stamp(datetime.fromtimestamp(NOW + at, UTC)) if at is not None else None for at in (began, ended)]
    assert times[0]
    return Outage("1", "service", "one-stop", times[0], times[1], state, "device", root, {})


def test_a_service_burns_as_in_the_kit() -> None:
    spans = [(NOW - 300, NOW)]
    assert burns(FAST, spans, NOW) == pytest.approx(300 / 3600)
    assert burns(FAST, [(NOW - 250, NOW)], NOW) is None  # not 7.2 % of the hour
    assert burns(FAST, spans, NOW + 301) is None  # it has been well for five minutes
    assert burns(STEADY, [(NOW - 700, NOW)], NOW) == pytest.approx(700 / 21600)
    assert burns(SLOWLY, [(NOW - 1400, NOW)], NOW) == pytest.approx(1400 / 259200)


def test_services_are_counted_by_their_own_outages(watch: Watch) -> None:
    services = Services(lambda: watch.province)
    services.take([outage(-900, -800), outage(-280, None)], NOW)
    [found] = [one for one in services.troubles(NOW) if one.name == "ServiceBurnsFast"]
    assert (found.about, found.office) == ("one-stop", "")
    assert found.value == pytest.approx(380 / 3600)
    services.take([outage(-900, None, root="2"), outage(-900, None, state="maintenance")], NOW)
    assert list(services.troubles(NOW)) == []
    assert services.ended(found, NOW) == NOW
    assert Services(lambda: watch.province).ended(found, NOW) is None


def test_the_watch_tells_of_itself(watch: Watch) -> None:
    own = Own(watch)
    assert list(own.troubles(NOW)) == []
    watch.postponed += 3
    watch.load_good = False
    assert {one.name: one.since for one in own.troubles(NOW + 5)} == {"WatchLate": NOW + 5, "ProvinceFilesBad": NOW + 5}
    assert {one.name: one.since for one in own.troubles(NOW + 50)} == {
        "WatchLate": NOW + 5,
        "ProvinceFilesBad": NOW + 5,
    }
    watch.load_good = True
    assert list(own.troubles(NOW + 100)) == []


def test_a_reading_that_was_not_heard_leaves_a_sign_as_it_was(watch: Watch) -> None:
    signs = Signs(watch)
    question = watch.asked["web.centre", "ssh", "", ""]
    changed = Reading("web.centre", "ssh", False, False, "", 0.1, NOW, (metric("tuyen_probe_ssh_host_key_matches", 0),))
    watch._take(question, changed)
    [found] = signs.troubles(NOW)
    assert (found.id, found.since, found.muted) == ("HostKeyChanged:web.centre", NOW, False)
    for key in watch.keys_of("web.centre"):
        for _turn in range(2):
            watch._take(watch.asked[key], replace(changed, module=key[1], metrics=(), heard=False, at=NOW + 60))
    [found] = signs.troubles(NOW + 60)
    assert found.muted
    assert Signs(watch).ended(found, NOW) is None
    watch._take(question, replace(changed, success=True, metrics=(metric("tuyen_probe_ssh_host_key_matches", 1),)))
    assert list(signs.troubles(NOW + 70)) == []
    assert signs.ended(found, NOW + 70) == NOW + 70


UPS, LOW, CHARGE = (f"tuyen_probe_ups_{name}" for name in ("on_battery", "battery_low", "battery_charge_ratio"))
EXPIRY, TRUSTED = (f"tuyen_probe_certificate_{name}" for name in ("expiry_timestamp_seconds", "trusted"))
PINNED, OFFSET = "tuyen_probe_ssh_host_key_matches", "tuyen_probe_ntp_offset_seconds"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({UPS: 0, LOW: 0, CHARGE: 0.1}, {}),  # it charges again
        ({UPS: 1, LOW: 0}, {"UpsOnBattery": 0}),
        ({UPS: 1, LOW: 0, CHARGE: LOW_CHARGE}, {"UpsOnBattery": 0}),
        ({UPS: 1, LOW: 0, CHARGE: LOW_CHARGE - 0.01}, {"UpsOnBattery": 0, "UpsBatteryLow": 0}),
        ({UPS: 0, LOW: 1}, {"UpsBatteryLow": 0}),
        ({EXPIRY: NOW + EARLY, TRUSTED: 1}, {}),
        ({EXPIRY: NOW + EARLY - 1}, {"CertificateEnds": EARLY - 1}),
        ({EXPIRY: NOW + SOON, TRUSTED: 0}, {"CertificateEndsSoon": SOON, "CertificateUntrusted": 0}),
        ({PINNED: 1}, {}),
        ({PINNED: 0}, {"HostKeyChanged": 0}),
        ({OFFSET: CLOCK_OFF}, {}),
        ({OFFSET: -CLOCK_OFF - 1}, {"TimeServerOff": CLOCK_OFF + 1}),
    ],
)
def test_what_a_reading_tells(watch: Watch, values: dict[str, float], told: dict[str, float]) -> None:
    signs, page = Signs(watch), "motcua.good.example/"
    question = watch.asked["web.centre", "https", "one-stop", page]
    metrics = tuple(metric(name, value) for name, value in values.items())
    signs.take(question, Reading("web.centre", "https", True, False, "", 0.1, NOW, metrics))
    found = {one.name: one for one in signs.troubles(NOW)}
    assert {name: one.value for name, one in found.items()} == told
    for name, one in found.items():
        assert one.about == (f"web.centre {page}" if name.startswith("Certificate") else "web.centre")
