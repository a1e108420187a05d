"""The sheets and columns of a workbook, with every heading under which people write them, in both languages."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from inventory.language import current


class Form(StrEnum):
    """What stands in the cells of a column."""

    TEXT = "text"
    DAY = "day"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute. `follows` says what else decides it: such a column is shown, but not taken back.

    `choices` names the list that its cells offer; `others` are more headings by which people know it.
    """

    key: str
    english: str
    vietnamese: str
    width: int = 14
    form: Form = Form.TEXT
    follows: str = ""
    choices: str = ""
    others: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The heading in the language in use."""
        return self.vietnamese if current() == "vi" else self.english


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; `identity` holds the sets of columns of which one must be there for rows to be recognised."""

    key: str
    english: str
    vietnamese: str
    columns: tuple[Column, ...]
    identity: tuple[tuple[str, ...], ...] = ()

    @property
    def title(self) -> str:
        """The title in the language in use."""
        return self.vietnamese if current() == "vi" else self.english

    def column(self, key: str) -> Column:
        """Return the column of that key."""
        return next(column for column in self.columns if column.key == key)


_DAY = Form.DAY

# fmt: off  (a table: one column a row)
DEVICES = Sheet(
    "devices",
    "Devices",
    "Thiết bị",
    (
        Column("id", "Device id", "Mã thiết bị", 26, others=("id", "device", "thiết bị", "mã tb")),
        Column(
            "office",
            "Office",
            "Mã địa điểm",
            20,
            choices="offices",
            others=("địa điểm", "đơn vị", "office id", "nơi đặt", "cơ quan"),
        ),
        Column("office_name", "Office name", "Tên địa điểm", 28, follows="office", others=("tên đơn vị",)),
        Column("name", "Name", "Tên", 14, others=("device name", "tên thiết bị")),
        Column("role", "Role", "Vai trò", 16, choices="roles", others=("chức năng",)),
        Column("type", "Type", "Loại", 26, choices="types", others=("device type", "loại thiết bị", "chủng loại")),
        Column(
            "manufacturer",
            "Manufacturer",
            "Hãng",
            14,
            follows="type",
            others=("vendor", "hãng sản xuất", "nhà sản xuất"),
        ),
        Column("model", "Model", "Kiểu máy", 22, follows="type", others=("mẫu", "đời máy")),
        Column("address", "IP address", "Địa chỉ IP", 14, others=("address", "ip", "địa chỉ")),
        Column("mac", "MAC address", "Địa chỉ MAC", 18, others=("mac",)),
        Column(
            "serial",
            "Serial number",
            "Số sê-ri",
            20,
            others=("serial", "s/n", "sn", "serial no", "số serial", "số seri", "số máy"),
        ),
        Column(
            "bought",
            "Bought on",
            "Ngày mua",
            12,
            _DAY,
            others=("bought", "purchase date", "purchased", "năm mua", "ngày mua sắm"),
        ),
        Column(
            "warranty",
            "Warranty until",
            "Bảo hành đến",
            14,
            _DAY,
            others=("warranty", "hạn bảo hành", "bảo hành", "hết bảo hành"),
        ),
        Column("end_of_support", "End of support", "Hết hỗ trợ", 14, _DAY, follows="type"),
        Column("owner", "Owner", "Chủ sở hữu", 22, others=("người quản lý", "đơn vị quản lý")),
        Column("platform", "Platform", "Nền tảng", 14, follows="type", others=("hệ điều hành", "os")),
        Column("driver", "Driver", "Trình điều khiển", 12, follows="type"),
        Column("tier", "Tier", "Cấp", 12, follows="office"),
        Column("district", "District", "Huyện", 16, follows="office", others=("quận huyện",)),
    ),
    (("id",), ("office", "name"), ("office", "role"), ("office", "serial"), ("serial",)),
)
OFFICES = Sheet(
    "offices",
    "Offices",
    "Địa điểm",
    (
        Column("id", "Office id", "Mã địa điểm", 24, others=("id", "office", "mã")),
        Column("name", "Name", "Tên", 30, others=("office name", "tên địa điểm", "tên đơn vị")),
        Column("unit", "Unit", "Đơn vị", 20, follows="unit", others=("cơ quan",)),
        Column("tier", "Tier", "Cấp", 12, follows="kind"),
        Column("district", "District", "Huyện", 16, follows="unit", others=("quận huyện",)),
        Column("kind", "Kind", "Kiểu địa điểm", 26, choices="kinds", others=("kiểu",)),
        Column("prefix", "Prefix", "Dải địa chỉ", 18, follows="number"),
        Column("parent", "Uplink to", "Nối lên", 20, choices="offices", others=("parent", "uplink")),
        Column("provider", "Provider", "Nhà mạng", 14, others=("nhà cung cấp",)),
        Column("medium", "Medium", "Đường truyền", 12, choices="media"),
        Column("bandwidth", "Bandwidth", "Băng thông", 14, others=("tốc độ",)),
        Column("backup_parent", "Backup to", "Dự phòng nối lên", 20, choices="offices"),
        Column("backup_provider", "Backup provider", "Nhà mạng dự phòng", 18),
        Column("backup_medium", "Backup medium", "Đường truyền dự phòng", 20, choices="media"),
        Column("backup_bandwidth", "Backup bandwidth", "Băng thông dự phòng", 18),
        Column("island", "Island", "Đảo", 14, follows="unit"),
        Column("devices", "Devices", "Số thiết bị", 10, Form.NUMBER, follows="devices"),
    ),
    (("id",),),
)
DEVICE_TYPES = Sheet(
    "device_types",
    "Device types",
    "Loại thiết bị",
    (
        Column("id", "Type", "Loại", 30),
        Column("manufacturer", "Manufacturer", "Hãng", 16),
        Column("model", "Model", "Kiểu máy", 28),
        Column("part_number", "Part number", "Mã hàng", 20),
        Column("platform", "Platform", "Nền tảng", 16),
        Column("driver", "Driver", "Trình điều khiển", 14),
        Column("warranty_years", "Warranty years", "Số năm bảo hành", 16, Form.NUMBER),
        Column("end_of_support", "End of support", "Hết hỗ trợ", 14, _DAY),
        Column("devices", "Devices", "Số thiết bị", 12, Form.NUMBER),
    ),
)
NOTES = Sheet("notes", "Notes", "Ghi chú", ())
LISTS = Sheet("lists", "Lists", "Danh mục", ())

# fmt: on

TAKEN: tuple[Sheet, ...] = (DEVICES, OFFICES)  # the sheets that an import takes; devices win where both would do
SHOWN: tuple[Sheet, ...] = (DEVICE_TYPES, NOTES, LISTS)  # the sheets that are only there to be read
COUNTERS = frozenset(("stt", "tt", "so tt", "no", "nr"))  # headings of a column that only counts rows


def folded(text: str) -> str:
    """Return `text` without case, accents and punctuation: how headings, names and titles are compared."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[\W_]+", " ", letters).strip()


def _headings(columns: Iterable[Column]) -> Mapping[str, Column]:
    """Return the columns under each of their headings; a column's own heading goes before another's alias."""
    named = list(columns)
    found = {folded(other): column for column in reversed(named) for other in column.others}
    return found | {
        folded(name): column for column in named for name in (column.key, column.english, column.vietnamese)
    }


HEADINGS: Mapping[str, Mapping[str, Column]] = {sheet.key: _headings(sheet.columns) for sheet in TAKEN}
