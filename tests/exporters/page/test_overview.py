"""The groups of offices at a glance: districts, the province's own, and a province that has no districts."""

from dataclasses import replace

from exporters.page.overview import district
from exporters.page.snapshot import Snapshot
from inventory.language import speaking
from inventory.load import load
from tests.exporters.test_health import GOOD


def test_districts_and_the_offices_of_the_province_itself_are_called_what_they_are() -> None:
    snapshot = Snapshot(load(GOOD))
    with speaking("en"):
        assert {name: district(snapshot, name).name for name in snapshot.districts} == {
            "": "Provincial offices",
            "an-bien": "Huyện An Biên",
        }


def test_where_there_are_no_districts_all_offices_are_those_of_the_province() -> None:
    province = load(GOOD)
    offices = {name: replace(office, district="") for name, office in province.offices.items()}
    snapshot = Snapshot(replace(province, offices=offices))
    assert [district(snapshot, name).name for name in snapshot.districts] == [province.name]
    assert len(district(snapshot, "").offices) == len(province.offices)
