"""What a workbook says otherwise than the province: changes as values, and row by row what could not be taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from inventory.calendar import years_after
from inventory.finding import Finding, finding
from inventory.model import Device, Office, Province
from inventory.nearest import nearest
from inventory.spreadsheet.agreement import disagreements
from inventory.spreadsheet.cells import CellError, cleaned
from inventory.spreadsheet.change import Change, Subject
from inventory.spreadsheet.columns import DEVICES, OFFICES, Column
from inventory.spreadsheet.matching import Known
from inventory.spreadsheet.tables import Row, read_tables
from inventory.spreadsheet.values import device_values, office_values

EMPTIED = frozenset(("serial", "mac", "owner"))  # what an empty cell may take away: nothing else gives these
NEEDED = ("office", "role", "type")  # of a new device
_OF_ID = ("id", "office", "name", "office_name")  # what the id of a device, which is permanent, already says


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of a workbook: the changes in the order of its rows, the findings too, and how many rows it had."""

    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    rows: int


def compare_workbook(path: Path, province: Province) -> Comparison:
    """Read the workbook at `path` and compare it with `province`.

    A cell that says what the province says is no change, and a row that is not there says nothing. An empty cell
    takes something away only in a row that has an id, as in an exported workbook.
    Raises InvalidWorkbookError when nothing of the file can be used.
    """
    tables = read_tables(path)
    comparison = _Comparison(province, Known(province), list(tables.findings))
    for row in tables.rows:
        comparison.take(row)
    refused = disagreements(province, comparison.changes)
    findings = comparison.findings + list(refused.values())
    kept = tuple(change for number, change in enumerate(comparison.changes) if number not in refused)
    ordered = sorted(findings, key=lambda found: (found.place.file, found.place.line, found.place.column))
    return Comparison(kept, tuple(ordered), len(tables.rows))


@dataclass(eq=False)
class _Comparison:
    """A comparison in the making."""

    province: Province
    known: Known
    findings: list[Finding]
    changes: list[Change] = field(default_factory=list)
    seen: dict[tuple[str, str], Row] = field(default_factory=dict)

    def complain(self, row: Row, key: str, rule: str, **values: object) -> None:
        self.findings.append(finding(row.place(key), rule, **values))

    def take(self, row: Row) -> None:
        if row.sheet is OFFICES:
            self._take_office(row)
        else:
            self._take_device(row)

    def _first(self, row: Row, subject: str, name: str) -> bool:
        """Whether no row before spoke of this; complain otherwise."""
        first = self.seen.setdefault((subject, name), row)
        if first is not row:
            sheet = first.file.rpartition("!")[2]
            self.complain(row, "id", "sheet-duplicate-row", name=name, first=first.number, sheet=sheet)
        return first is row

    def _take_office(self, row: Row) -> None:
        name = row.texts.get("id", "")
        office = self.province.offices.get(name)
        if office is None:
            near = nearest(name, self.province.offices)
            self.complain(row, "id", "sheet-new-office", name=name, near=near)
        elif self._first(row, "office", name):
            self._compare("office", name, row, office_values(self.province, office))

    def _take_device(self, row: Row) -> None:
        device = self._device(row)
        if device is None:
            self._take_new(row)
        elif self._first(row, "device", device.id) and self._same_id(row, device):
            before = len(self.changes)
            self._compare("device", device.id, row, device_values(self.province, device))
            self._keep_warranty(row, device, {change.attribute: change.new for change in self.changes[before:]})

    def _keep_warranty(self, row: Row, device: Device, new: Mapping[str, str]) -> None:
        """Keep the warranty that a row shows, where it would move with the purchase or the type that it changes."""
        shown = row.texts.get("warranty", "")
        if "warranty" in new or not shown or not new.keys() & {"bought", "type"} or device.warranty is None:
            return
        bought = date.fromisoformat(new["bought"]) if "bought" in new else device.bought
        years = self.province.device_types[new.get("type", device.type)].warranty_years
        old_years = self.province.device_types[device.type].warranty_years
        derived = device.bought and old_years and device.warranty == years_after(device.bought, old_years)
        moved = years_after(bought, years).isoformat() if bought and years else ""
        if derived and moved != shown:
            self.changes.append(Change("device", device.id, "warranty", moved, shown, row.place("warranty")))

    def _device(self, row: Row) -> Device | None:
        """Return the device that a row is about: by its id, by office and name, or by its serial."""
        texts = row.texts
        if texts.get("id"):
            return self.province.devices.get(texts["id"])
        office = self._office(row) if self._office_text(row) else None
        if office and texts.get("name"):
            return self.province.devices.get(f"{texts['name']}.{office.id}")
        return self.known.serials.get(texts.get("serial", ""))

    def _office_text(self, row: Row) -> str:
        return row.texts.get("office") or row.texts.get("office_name", "")

    def _office(self, row: Row) -> Office | None:
        try:
            return self.province.offices[self.known.office(self._office_text(row))]
        except CellError:
            return None  # it is complained of where the row is taken for a new device

    def _same_id(self, row: Row, device: Device) -> bool:
        """Whether office and name of a row are those of the device; complain otherwise."""
        name = row.texts.get("name") or device.name
        text = self._office_text(row) if row.texts.get("office") else ""
        try:
            office = self.known.office(text) if text else device.office
        except CellError as error:
            self.complain(row, "office", error.rule, **error.values)
            return False
        if (name, office) != (device.name, device.office):
            self.complain(row, "id", "sheet-moved", device=device.id, other=f"{name}.{office}")
            return False
        return True

    def _compare(self, subject: Subject, name: str, row: Row, values: Mapping[str, str]) -> None:
        for column in row.sheet.columns:
            if column.key in row.texts and column.key != "id" and (subject == "office" or column.key not in _OF_ID):
                self._compare_cell(subject, name, row, column, values)

    def _compare_cell(self, subject: Subject, name: str, row: Row, column: Column, values: Mapping[str, str]) -> None:
        text, old = row.texts[column.key], values[column.key]
        if text == cleaned(old) or (not text and not row.texts.get("id")):
            return  # in a list that is not ours an empty cell means that somebody does not know
        if column.follows:
            follows = next((c.heading for c in row.sheet.columns if c.key == column.follows), column.follows)
            words = {"column": column.heading, "value": text, "known": old, "follows": follows}
            self.complain(row, column.key, "sheet-follows", **words)
        elif not text and column.key not in EMPTIED:
            subjects: Mapping[str, Device | Office] = (
                self.province.devices if subject == "device" else self.province.offices
            )
            place = subjects[name].place
            words = {"column": column.heading, "known": old, "where": str(place)}
            self.complain(row, column.key, "sheet-emptied", **words)
        else:
            self._change(subject, name, row, column, old)

    def _change(self, subject: Subject, name: str, row: Row, column: Column, old: str) -> None:
        """Add a change, unless the cell only spells differently what is known already."""
        try:
            new = self.known.resolve(column, row.texts[column.key])
        except CellError as error:
            self.complain(row, column.key, error.rule, **{"what": column.heading} | error.values)
            return
        if new != old:
            self.changes.append(Change(subject, name, column.key, old, new, row.place(column.key)))

    def _take_new(self, row: Row) -> None:
        """Take a row of a device that does not exist, if it says enough to make one."""
        texts = self._completed(row)
        missing = [DEVICES.column(key).heading for key in NEEDED if not texts[key]]
        if missing:
            if row.texts.get("id"):
                near = nearest(row.texts["id"], self.province.devices)
                self.complain(row, "id", "unknown-device", name=row.texts["id"], near=near)
            elif not row.broken.intersection((*NEEDED, "id", "office_name")):
                self.complain(row, "", "sheet-incomplete-device", missing=", ".join(missing))
            return
        try:
            office, role = self.known.office(texts["office"]), self.known.role(texts["role"])
            device_type = self.known.device_type(texts["type"])
            name = self.known.new_name(texts["name"], office, role, row.texts.get("id", ""))
        except CellError as error:
            key = {"unknown-role": "role", "unknown-device-type": "type", "bad-id": "name"}.get(error.rule, "office")
            self.complain(row, key, error.rule, **error.values)
            return
        made = f"{name}.{office}"
        if self._first(row, "device", made):
            for key, new in (("role", role), ("type", device_type)):
                self.changes.append(Change("device", made, key, "", new, row.place(key)))
            for column in DEVICES.columns:
                if row.texts.get(column.key) and not column.follows and column.key not in (*_OF_ID, "role", "type"):
                    self._change("device", made, row, column, "")

    def _completed(self, row: Row) -> dict[str, str]:
        """Return the texts that make a device, read also out of its id, the office's name, and maker and model."""
        name, _dot, office = row.texts.get("id", "").partition(".")
        model = f"{row.texts.get('manufacturer', '')} {row.texts.get('model', '')}".strip()
        return {
            "name": row.texts.get("name") or name,
            "office": self._office_text(row) or office,
            "role": row.texts.get("role", ""),
            "type": row.texts.get("type") or (model if row.texts.get("model") else ""),
        }
