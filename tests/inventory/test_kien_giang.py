"""The example province: its units are the real ones, its ids hold, its files load without a complaint."""

import re
import unicodedata
from collections import Counter
from datetime import date
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from pathlib import Path

import pytest

from inventory.load import Loader, load
from inventory.model import Province
from inventory.schema import schemas
from inventory.yamlfile import read

FOLDER = Path(__file__).parents[2] / "inventory" / "kien-giang"
FILES = sorted(FOLDER.rglob("*.yaml"))

# The units of 2018-2020 by the statistics office's codes: each district-level unit with its communes.
OFFICIAL = {
    "899 Thành phố Rạch Giá": (
        "30730 Phường Vĩnh Thanh Vân; 30733 Phường Vĩnh Thanh; 30736 Phường Vĩnh Quang; 30739 Phường Vĩnh "
        "Hiệp; 30742 Phường Vĩnh Bảo; 30745 Phường Vĩnh Lạc; 30748 Phường An Hòa; 30751 Phường An Bình; "
        "30754 Phường Rạch Sỏi; 30757 Phường Vĩnh Lợi; 30760 Phường Vĩnh Thông; 30763 Xã Phi Thông"
    ),
    "900 Thành phố Hà Tiên": (
        "30766 Phường Tô Châu; 30769 Phường Đông Hồ; 30772 Phường Bình San; 30775 Phường Pháo Đài; 30778 "
        "Phường Mỹ Đức; 30781 Xã Tiên Hải; 30784 Xã Thuận Yên"
    ),
    "902 Huyện Kiên Lương": (
        "30787 Thị trấn Kiên Lương; 30790 Xã Kiên Bình; 30802 Xã Hòa Điền; 30805 Xã Dương Hòa; 30808 Xã "
        "Bình An; 30809 Xã Bình Trị; 30811 Xã Sơn Hải; 30814 Xã Hòn Nghệ"
    ),
    "903 Huyện Hòn Đất": (
        "30817 Thị trấn Hòn Đất; 30820 Thị trấn Sóc Sơn; 30823 Xã Bình Sơn; 30826 Xã Bình Giang; 30828 Xã "
        "Mỹ Thái; 30829 Xã Nam Thái Sơn; 30832 Xã Mỹ Hiệp Sơn; 30835 Xã Sơn Kiên; 30836 Xã Sơn Bình; "
        "30838 Xã Mỹ Thuận; 30840 Xã Lình Huỳnh; 30841 Xã Thổ Sơn; 30844 Xã Mỹ Lâm; 30847 Xã Mỹ Phước"
    ),
    "904 Huyện Tân Hiệp": (
        "30850 Thị trấn Tân Hiệp; 30853 Xã Tân Hội; 30856 Xã Tân Thành; 30859 Xã Tân Hiệp B; 30860 Xã Tân "
        "Hoà; 30862 Xã Thạnh Đông B; 30865 Xã Thạnh Đông; 30868 Xã Tân Hiệp A; 30871 Xã Tân An; 30874 Xã "
        "Thạnh Đông A; 30877 Xã Thạnh Trị"
    ),
    "905 Huyện Châu Thành": (
        "30880 Thị trấn Minh Lương; 30883 Xã Mong Thọ A; 30886 Xã Mong Thọ B; 30887 Xã Mong Thọ; 30889 Xã "
        "Giục Tượng; 30892 Xã Vĩnh Hòa Hiệp; 30893 Xã Vĩnh Hoà Phú; 30895 Xã Minh Hòa; 30898 Xã Bình An; "
        "30901 Xã Thạnh Lộc"
    ),
    "906 Huyện Giồng Riềng": (
        "30904 Thị trấn Giồng Riềng; 30907 Xã Thạnh Hưng; 30910 Xã Thạnh Phước; 30913 Xã Thạnh Lộc; 30916 "
        "Xã Thạnh Hòa; 30917 Xã Thạnh Bình; 30919 Xã Bàn Thạch; 30922 Xã Bàn Tân Định; 30925 Xã Ngọc "
        "Thành; 30928 Xã Ngọc Chúc; 30931 Xã Ngọc Thuận; 30934 Xã Hòa Hưng; 30937 Xã Hoà Lợi; 30940 Xã "
        "Hoà An; 30943 Xã Long Thạnh; 30946 Xã Vĩnh Thạnh; 30947 Xã Vĩnh Phú; 30949 Xã Hòa Thuận; 30950 "
        "Xã Ngọc Hoà"
    ),
    "907 Huyện Gò Quao": (
        "30952 Thị trấn Gò Quao; 30955 Xã Vĩnh Hòa Hưng Bắc; 30958 Xã Định Hòa; 30961 Xã Thới Quản; 30964 "
        "Xã Định An; 30967 Xã Thủy Liễu; 30970 Xã Vĩnh Hòa Hưng Nam; 30973 Xã Vĩnh Phước A; 30976 Xã Vĩnh "
        "Phước B; 30979 Xã Vĩnh Tuy; 30982 Xã Vĩnh Thắng"
    ),
    "908 Huyện An Biên": (
        "30985 Thị trấn Thứ Ba; 30988 Xã Tây Yên; 30991 Xã Tây Yên A; 30994 Xã Nam Yên; 30997 Xã Hưng "
        "Yên; 31000 Xã Nam Thái; 31003 Xã Nam Thái A; 31006 Xã Đông Thái; 31009 Xã Đông Yên"
    ),
    "909 Huyện An Minh": (
        "31018 Thị trấn Thứ Mười Một; 31021 Xã Thuận Hoà; 31024 Xã Đông Hòa; 31030 Xã Đông Thạnh; 31031 "
        "Xã Tân Thạnh; 31033 Xã Đông Hưng; 31036 Xã Đông Hưng A; 31039 Xã Đông Hưng B; 31042 Xã Vân "
        "Khánh; 31045 Xã Vân Khánh Đông; 31048 Xã Vân Khánh Tây"
    ),
    "910 Huyện Vĩnh Thuận": (
        "31051 Thị trấn Vĩnh Thuận; 31060 Xã Vĩnh Bình Bắc; 31063 Xã Vĩnh Bình Nam; 31064 Xã Bình Minh; "
        "31069 Xã Vĩnh Thuận; 31072 Xã Tân Thuận; 31074 Xã Phong Đông; 31075 Xã Vĩnh Phong"
    ),
    "911 Huyện Phú Quốc": (
        "31078 Thị trấn Dương Đông; 31081 Thị trấn An Thới; 31084 Xã Cửa Cạn; 31087 Xã Gành Dầu; 31090 Xã "
        "Cửa Dương; 31093 Xã Hàm Ninh; 31096 Xã Dương Tơ; 31099 Xã Hòn Thơm; 31102 Xã Bãi Thơm; 31105 Xã "
        "Thổ Châu"
    ),
    "912 Huyện Kiên Hải": ("31108 Xã Hòn Tre; 31111 Xã Lại Sơn; 31114 Xã An Sơn; 31115 Xã Nam Du"),
    "913 Huyện U Minh Thượng": (
        "31012 Xã Thạnh Yên; 31015 Xã Thạnh Yên A; 31027 Xã An Minh Bắc; 31054 Xã Vĩnh Hòa; 31057 Xã Hoà "
        "Chánh; 31066 Xã Minh Thuận"
    ),
    "914 Huyện Giang Thành": (
        "30791 Xã Vĩnh Phú; 30793 Xã Vĩnh Điều; 30796 Xã Tân Khánh Hòa; 30797 Xã Phú Lợi; 30799 Xã Phú Mỹ"
    ),
}

ISLAND_COMMUNES = {
    "30781 Xã Tiên Hải": "tien-hai",
    "30811 Xã Sơn Hải": "son-hai",
    "30814 Xã Hòn Nghệ": "hon-nghe",
    "31099 Xã Hòn Thơm": "hon-thom",
    "31105 Xã Thổ Châu": "tho-chau",
    "31108 Xã Hòn Tre": "hon-tre",
    "31111 Xã Lại Sơn": "lai-son",
    "31114 Xã An Sơn": "an-son",
    "31115 Xã Nam Du": "nam-du",
}


@pytest.fixture(scope="module")
def province() -> Province:
    return load(FOLDER)


def _ascii(name: str) -> str:
    """The name without its type, in small letters without accents: "Xã Đông Yên" becomes "dong-yen"."""
    bare = re.sub(r"^(Tỉnh|Thành phố|Thị trấn|Huyện|Phường|Xã) ", "", name).replace("Đ", "D").replace("đ", "d")
    letters = unicodedata.normalize("NFD", bare).encode("ascii", "ignore").decode()
    return "-".join(letters.lower().split())


def _on_day(province: Province) -> dict[str, tuple[str, str]]:
    """Units by "code name", with the parent's "code name" and the id."""
    day = province.as_of
    labels = {unit.id: f"{unit.code.on(day)} {unit.name.on(day)}" for unit in province.units.values()}
    return {labels[unit.id]: (labels.get(unit.parent.on(day), ""), unit.id) for unit in province.units.values()}


def test_units_are_the_official_ones(province: Province) -> None:
    expected = {"91 Tỉnh Kiên Giang": ""}
    for district, communes in OFFICIAL.items():
        expected[district] = "91 Tỉnh Kiên Giang"
        expected |= dict.fromkeys(communes.split("; "), district)
    assert {label: parent for label, (parent, _id) in _on_day(province).items()} == expected


def test_units_count_by_tier_and_type(province: Province) -> None:
    units = province.units.values()
    assert Counter(unit.tier for unit in units) == {"province": 1, "district": 15, "commune": 145}
    assert Counter(unit.type.on(province.as_of) for unit in units) == {
        "tỉnh": 1,
        "thành phố": 2,
        "huyện": 13,
        "phường": 16,
        "thị trấn": 12,
        "xã": 117,
    }


def test_type_and_name_agree_on_every_day(province: Province) -> None:
    for unit in province.units.values():
        for day in {*unit.type.since, *unit.name.since}:
            assert unit.name.on(day).lower().startswith(unit.type.on(day)), unit.id


@pytest.mark.parametrize(
    ("unit", "day", "code", "name"),
    [
        ("ha-tien", date(2018, 10, 31), "900", "Thị xã Hà Tiên"),
        ("ha-tien", date(2018, 11, 1), "900", "Thành phố Hà Tiên"),
        ("my-duc", date(2018, 10, 31), "30778", "Xã Mỹ Đức"),
        ("my-duc", date(2018, 11, 1), "30778", "Phường Mỹ Đức"),
        ("phu-quoc", date(2020, 12, 31), "911", "Huyện Phú Quốc"),
        ("phu-quoc", date(2021, 1, 1), "911", "Thành phố Phú Quốc"),
        ("duong-dong", date(2021, 1, 1), "31078", "Phường Dương Đông"),
        ("an-thoi", date(2021, 1, 1), "31081", "Phường An Thới"),
        ("vinh-thanh-van", date(2024, 12, 31), "30730", "Phường Vĩnh Thanh Vân"),
        ("vinh-thanh-van", date(2025, 1, 1), "30742", "Phường Vĩnh Thanh Vân"),
        ("vinh-bao", date(2024, 12, 31), "30742", "Phường Vĩnh Bảo"),
        ("dong-yen", date(2020, 12, 31), "31009", "Xã Đông Yên"),
    ],
)
def test_codes_and_names_by_day(province: Province, unit: str, day: date, code: str, name: str) -> None:
    assert (province.units[unit].code.on(day), province.units[unit].name.on(day)) == (code, name)


@pytest.mark.parametrize(
    ("unit", "last_day", "into"),
    [("hon-thom", date(2020, 12, 31), "an-thoi"), ("vinh-bao", date(2024, 12, 31), "vinh-thanh-van")],
)
def test_merged_units_end_and_say_where_they_went(province: Province, unit: str, last_day: date, into: str) -> None:
    merged = province.units[unit]
    assert merged.exists(last_day)
    assert merged.until.toordinal() == last_day.toordinal() + 1
    assert merged.into == (into,)


def test_ids_follow_the_rule_at_the_top_of_the_file(province: Province) -> None:
    day = province.as_of
    plain = Counter(_ascii(u.name.on(day)) for u in province.units.values() if u.tier == "commune")
    for unit in province.units.values():
        slug, parent = _ascii(unit.name.on(day)), unit.parent.on(day)
        if unit.tier == "commune" and slug == parent:
            slug += "-town" if unit.type.on(day) == "thị trấn" else "-commune"
        elif unit.tier == "commune" and plain[slug] > 1:
            slug += f"-{parent}"
        assert unit.id == slug


def test_colliding_names_have_ids_of_their_own(province: Province) -> None:
    ids = {label: unit for label, (_parent, unit) in _on_day(province).items()}
    assert ids["30901 Xã Thạnh Lộc"] == "thanh-loc-chau-thanh"
    assert ids["30913 Xã Thạnh Lộc"] == "thanh-loc-giong-rieng"
    assert ids["30856 Xã Tân Thành"] == "tan-thanh-tan-hiep"
    assert ids["31031 Xã Tân Thạnh"] == "tan-thanh-an-minh"
    assert [ids[label] for label in ("910 Huyện Vĩnh Thuận", "31051 Thị trấn Vĩnh Thuận", "31069 Xã Vĩnh Thuận")] == [
        "vinh-thuan",
        "vinh-thuan-town",
        "vinh-thuan-commune",
    ]


def test_ids_are_ascii_slugs(province: Province) -> None:
    for name in (*province.units, *province.offices, *province.services, *province.people):
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name), name


def test_islands_are_marked_and_reached_without_a_cable(province: Province) -> None:
    ids = {label: unit for label, (_parent, unit) in _on_day(province).items()}
    for label, unit in ISLAND_COMMUNES.items():
        assert ids[label] == unit
        assert province.units[unit].island, unit
    marked = {u.id for u in province.units.values() if u.island and u.tier == "commune"}
    of_phu_quoc = {u.id for u in province.units.values() if u.parent.on(province.as_of) == "phu-quoc"}
    assert marked == set(ISLAND_COMMUNES.values()) | of_phu_quoc
    media = {
        unit: office.uplink.medium for unit in ISLAND_COMMUNES.values() if (office := province.offices[unit]).uplink
    }
    assert media.pop("hon-tre") == "fibre"  # on the same island as its district's hall
    assert media.pop("tho-chau") == "satellite"
    assert set(media.values()) == {"radio"}


def test_every_unit_has_an_office_of_its_own_id(province: Province) -> None:
    for unit in province.units.values():
        office = province.offices[unit.id]
        assert (office.unit, office.tier) == (unit.id, unit.tier)


def test_every_commune_has_a_small_linux_box_at_its_counter(province: Province) -> None:
    communes = [unit.id for unit in province.units.values() if unit.tier == "commune"]
    boxes = [province.devices[f"box.{commune}"] for commune in communes]
    assert len(boxes) == 145
    assert {(box.role, box.platform, box.driver) for box in boxes} == {("server", "linux", "pyinfra")}


def test_every_district_has_a_hall_with_servers_and_a_post(province: Province) -> None:
    districts = [unit.id for unit in province.units.values() if unit.tier == "district"]
    for district in districts:
        servers = [device for device in province.devices_of[district] if device.driver == "ansible"]
        assert len([device for device in servers if device.role == "server"]) == 3
        assert province.offices[f"{district}-post"].district == district
        assert province.offices[district].parent == "data-centre"
        assert province.offices[district].backup is not None


def test_about_twenty_departments(province: Province) -> None:
    departments = [office for office in province.offices.values() if office.kind == "department"]
    assert 20 <= len(departments) <= 24
    assert {office.unit for office in departments} == {"kien-giang"}


def test_devices_come_from_kinds(province: Province) -> None:
    by_hand = sum(
        len((office or {}).get("devices") or {})
        for path in FOLDER.glob("offices/*.yaml")
        if (document := read(path, path.name)[0])
        for office in document.data["offices"].values()
    )
    assert len(province.devices) > 1000
    assert by_hand < len(province.devices) / 10


def test_the_blocks_fill_the_address_plan(province: Province) -> None:
    blocks = [
        IPv4Network(document.data["block"])
        for path in FOLDER.glob("offices/*.yaml")
        if (document := read(path, path.name)[0])
    ]
    assert len(blocks) == 16
    assert list(collapse_addresses(blocks)) == [IPv4Network("10.91.0.0/16")]
    assert province.networks == ("10.91.0.0/16",)


def test_gateways_are_the_first_address_of_their_prefix(province: Province) -> None:
    for office in province.offices.values():
        gateway = next(device for device in province.devices_of[office.id] if device.gateway)
        assert IPv4Address(gateway.address) == IPv4Network(office.prefix)[1], office.id


def test_services_have_users_and_names_under_the_domain(province: Province) -> None:
    assert {"one-stop", "portal", "documents", "signatures", "dns", "time", "post"} <= set(province.services)
    for service in province.services.values():
        assert service.offices, service.id
        for probe in service.probes:
            host = probe.options.get("host") or probe.options.get("server_name") or province.domain
            assert host.endswith(province.domain)
            assert province.devices[probe.device].office == "data-centre"
    assert {"dong-yen", "an-bien", "tho-chau"} <= set(province.services["one-stop"].offices)
    assert len(province.services["post"].offices) == 16


def test_people_of_a_district_stay_below_its_hall(province: Province) -> None:
    assert len(province.people) == 8
    assert {person.under for person in province.people.values()} == {"data-centre", "phu-quoc", "an-bien", "kien-hai"}
    assert any("approver" in person.roles for person in province.people.values())
    assert all(person.notify for person in province.people.values())


def test_no_serial_stands_twice_and_the_valuable_gear_has_one(province: Province) -> None:
    serials = Counter(device.serial for device in province.devices.values() if device.serial)
    assert serials.most_common(1)[0][1] == 1
    assert all(device.serial for device in province.devices.values() if device.role == "firewall")


def test_every_device_type_is_in_use(province: Province) -> None:
    assert set(province.device_types) == {device.type for device in province.devices.values()}
    assert len(province.device_types) >= 25


def test_todays_tree_complains_only_of_the_units_that_have_ended() -> None:
    _province, findings = Loader(FOLDER, as_of=date(2025, 6, 30)).examine()
    complaints = [(found.rule, dict(found.values)["unit"]) for found in findings]
    assert complaints == [("unit-ended", "hon-thom"), ("unit-ended", "vinh-bao")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_every_file_names_its_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert match
    schema = (path.parent / match[1]).resolve().relative_to(FOLDER.resolve()).as_posix()
    expected = {"offices": "offices", "device-types": "device-type", "rollouts": "rollout"}
    top = path.relative_to(FOLDER).parts[0]
    assert schema == f".schema/{expected.get(top, path.stem)}.json"


def test_the_readme_tells_the_right_numbers(province: Province) -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    told = re.search(r"(\d+) units, (\d+) offices, about ([\d,]+) devices", text)
    assert told
    units, offices, devices = (int(number.replace(",", "")) for number in told.groups())
    assert (units, offices) == (len(province.units), len(province.offices))
    assert abs(devices - len(province.devices)) < 100


def test_schemas_beside_the_example_are_those_that_would_be_written_now() -> None:
    for name, text in schemas(load(FOLDER)):
        assert (FOLDER / ".schema" / name).read_text(encoding="utf-8") == text, f"write {name} again"
