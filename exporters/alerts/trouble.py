"""Something that people are told of: one alert of the kit about one office, device, link or service."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from exporters.kit.alert import Alert, labels_of, wait_of
from exporters.kit.rules import ALERTS
from exporters.kit.settings import KitSettings


@dataclass(frozen=True, slots=True)
class Trouble:
    """An alert of the kit that holds since then (Unix seconds), with the labels that it has there.

    `about` is what tells it from others of the same name, and `id` both; an outage that ends and begins again before
    anyone was told of its end is the same. `value` is what its text shows: a ratio or seconds. `behind` counts the
    offices that are out only because of it; `why` and `ups` are its cause and the device that told of the power.

    `muted`: nobody is told for now, as it is acknowledged, planned, or only what follows from another one.
    """

    name: str
    about: str
    labels: Mapping[str, str]
    since: float
    value: float = 0.0
    behind: int = 0
    why: str = ""
    ups: str = ""
    muted: bool = False

    @property
    def id(self) -> str:
        """What it is called in the ledger, such as "OfficeDown:an-bien"."""
        return f"{self.name}:{self.about}"

    @property
    def alert(self) -> Alert:
        """The alert of the kit."""
        return ALERTS[self.name]

    @property
    def office(self) -> str:
        """The office that it is in; "" for what concerns the province as a whole."""
        return self.labels.get("office", "")

    def lasts_for(self, settings: KitSettings, after: float) -> float:
        """Return for how many seconds it must last before people are told: as in the kit, and `after` at least."""
        return max(after, wait_of(self.alert, settings))


def trouble(name: str, about: str, since: float, /, **labels: str) -> Trouble:
    """Make the trouble of an alert of the kit."""
    return Trouble(name, about, {"alertname": name, **labels_of(ALERTS[name]), **labels}, since)


def written(one: Trouble) -> dict[str, Any]:
    """Return what is written down of a trouble, as JSON."""
    kept = ("name", "about", "since", "value", "behind", "why", "ups")
    return {**{name: getattr(one, name) for name in kept}, "labels": dict(one.labels)}


def read(said: Mapping[str, Any]) -> Trouble | None:
    """Return what was written down; None for an alert that this version knows no more."""
    known = {name: value for name, value in said.items() if name in Trouble.__dataclass_fields__}
    return replace(Trouble(**known), muted=False) if known.get("name") in ALERTS else None
