"""Ask a machine what it is, in one round trip, and hand that over; there is never anything to change."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyinfra.api.facts import FactBase
from pyinfra.context import host

from inventory.language import _
from playbooks.deploying import note, report

_NUMBERS = {"cpus": int, "uptime": float}
_SCRIPT = (Path(__file__).parent / "ask.sh").read_text()


class Machine(FactBase[dict[str, Any]]):
    """What ask.sh prints: lines `key=value`, some keys several times."""

    def command(self) -> str:
        """Return the script."""
        return _SCRIPT

    def process(self, output: list[str]) -> dict[str, Any]:
        """Return what was told, under the names of `inventory.facts.Facts`."""
        pairs = [(key, value) for key, found, value in (line.partition("=") for line in output) if found]
        told: dict[str, Any] = {key: value for key, value in pairs if key not in ("disk", "link", "address")}
        told["memory"] = int(told.get("memory") or 0) * 1024
        told.update({key: kind(told.get(key) or 0) for key, kind in _NUMBERS.items()})
        told["disks"] = [{"name": name, "bytes": int(size) * 512} for name, size in _words(pairs, "disk")]
        told["interfaces"] = [
            {"name": name, "mac": mac, "addresses": [a for other, a in _words(pairs, "address") if other == name]}
            for name, mac in _words(pairs, "link")
        ]
        return told

    @staticmethod
    def default() -> dict[str, Any]:
        """Return what no answer means."""
        return {}


def _words(pairs: list[tuple[str, str]], wanted: str) -> Iterator[tuple[str, str]]:
    """Yield the two words of each line of a kind, in a stable order."""
    for value in sorted(value for key, value in pairs if key == wanted):
        first, _space, second = value.partition(" ")
        yield first, second.strip()


def deploy(values: Mapping[str, Any]) -> None:  # noqa: ARG001
    """Ask and hand over."""
    told = host.get_fact(Machine)
    report(told)
    memory = told["memory"] / 2**30
    text = _("{os}, {cpus} processors, {memory:.1f} GiB, serial {serial}")
    serial = told.get("serial") or _("unknown")
    note(text.format(os=told.get("os_name") or told["system"], cpus=told["cpus"], memory=memory, serial=serial))
