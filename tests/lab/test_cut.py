"""Cut and restore, loss and delay, seen from the controller by ping."""

import pytest

from lab.errors import LabError, UnknownPartError
from lab.practice import Impairment, Lab
from tests.lab.conftest import Ask, Silent
from tests.lab.small import small_province

NORTH, ISLAND = "10.91.0.65", "10.91.1.65"


def of(*offices: str) -> set[str]:
    return {device.id for device in small_province().devices.values() if device.office in offices}


def test_everything_answers_at_first(small_lab: Lab, silent: Silent) -> None:
    assert silent() == set()
    assert small_lab.status().silent == 0


def test_commune_is_cut_and_comes_back(small_lab: Lab, silent: Silent) -> None:
    small_lab.cut(["island"])
    assert silent() == of("island")
    small_lab.restore(["island"])
    assert silent() == set()


def test_district_takes_its_communes_but_not_the_one_with_a_backup(small_lab: Lab, silent: Silent) -> None:
    assert small_lab.cut(["north"]).silent == 6
    assert silent() == of("north", "upper")


def test_backup_carries_until_it_is_cut_too(small_lab: Lab, silent: Silent) -> None:
    small_lab.cut(["lower.uplink"])
    assert silent() == set()
    small_lab.cut(["lower.backup"])
    assert silent() == of("lower")


def test_overlapping_cuts_are_restored_one_by_one(small_lab: Lab, silent: Silent) -> None:
    small_lab.cut(["south", "island", "box.island"])
    small_lab.restore(["south"])
    assert silent() == of("island")
    assert small_lab.restore(["island"]).cuts == ("box.island",)
    assert silent() == {"box.island"}
    small_lab.restore()
    assert silent() == set()


def test_open_connection_to_a_cut_office_falls_silent_not_refused(small_lab: Lab, ask: Ask) -> None:
    small_lab.cut(["island"])
    assert ask("tcp", address=ISLAND, port=22, patience=0.5) == {"error": "TimeoutError"}
    assert ask("tcp", address=ISLAND, port=23, patience=0.5) == {"error": "TimeoutError"}


@pytest.mark.parametrize(
    ("wrong", "near"), [("nort", "north"), ("lower.uplnk", "lower.uplink"), ("box.islnd", "box.island")]
)
def test_misspelt_part_is_named_with_the_nearest(small_lab: Lab, wrong: str, near: str) -> None:
    with pytest.raises(UnknownPartError, match=f"no office, link or device '{wrong}'; the nearest: .*{near}"):
        small_lab.cut([wrong])
    assert small_lab.status().cuts == ()


def test_loss_on_a_link_is_what_was_asked(small_lab: Lab, ask: Ask) -> None:
    small_lab.impair("south.uplink", loss=0.3)
    answers = ask("ping", addresses=[ISLAND, NORTH], count=300)
    lost = answers[ISLAND].count(None) / 300
    assert 0.19 < lost < 0.41  # four standard deviations
    assert answers[NORTH].count(None) == 0


def test_delay_is_paid_once_and_tcp_passes_too(small_lab: Lab, ask: Ask) -> None:
    small_lab.impair("south.uplink", delay=0.1)
    small_lab.impair("island.uplink", delay=0.05, jitter=0.05)
    answers = ask("ping", addresses=[ISLAND, NORTH], count=20)
    assert 0.15 <= min(answers[ISLAND]) < max(answers[ISLAND]) < 0.25
    assert max(answers[NORTH]) < 0.05
    assert ask("tcp", address=ISLAND, port=22)["said"].startswith("SSH-2.0-")
    page = ask("tcp", address="10.91.1.67", port=9100, send="GET / HTTP/1.1\r\nHost: x\r\n\r\n" + "x" * 20_000)
    assert page["said"].startswith("HTTP/1.1 200")


def test_impairment_shows_and_ends(small_lab: Lab, ask: Ask) -> None:
    assert small_lab.impair("south.uplink", loss=1.0).impairments == {"south.uplink": Impairment(1.0, 0.0, 0.0)}
    assert ask("ping", addresses=[ISLAND]) == {ISLAND: [None]}
    assert small_lab.restore(["south.uplink"]).impairments == {}
    assert ask("ping", addresses=[ISLAND])[ISLAND][0] < 0.05


def test_impossible_loss_is_refused(small_lab: Lab) -> None:
    with pytest.raises(LabError, match="loss is a ratio from 0 to 1"):
        small_lab.impair("south.uplink", loss=30)
    with pytest.raises(UnknownPartError, match=r"only links can be made bad, .* nearest: .*north\.uplink"):
        small_lab.impair("north", loss=0.1)
