"""The parts of pages that keep themselves up to date: made once for all readers who see the same, and kept.

A part is made again when its values have changed, and then has a new number: a reader who has seen all numbers up to
some one is sent what is newer. Names of parts are names of server-sent events, too.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from exporters.page.environment import environment
from exporters.page.office import devices, office_page
from exporters.page.overview import district, services, summary
from exporters.page.planned import planned
from exporters.page.snapshot import Looking, Snapshot
from exporters.page.troubles import roots
from exporters.page.view import PUBLIC, View
from exporters.watch import Watch
from inventory.language import current

LIVELY = 5.0  # seconds after which a part that shows readings is looked at again, though no state has changed
KEPT = 2000  # parts that are remembered at most, the longest unused forgotten first


class Recipe(NamedTuple):
    """How a kind of part is made: `values` of a snapshot, a view and what follows the kind's name."""

    template: str
    values: Callable[[Snapshot, Watch, View, str], Any]
    same_for_all: bool = True  # whether the public sees it as staff does
    lively: bool = False  # whether it shows readings


RECIPES: Mapping[str, Recipe] = {
    "summary": Recipe("parts/summary.html", lambda snapshot, _watch, _view, _name: summary(snapshot)),
    "services": Recipe("parts/services.html", lambda snapshot, _watch, _view, _name: services(snapshot)),
    "district": Recipe("parts/district.html", lambda snapshot, _watch, _view, name: district(snapshot, name)),
    "troubles": Recipe("parts/troubles.html", lambda snapshot, _watch, view, _name: roots(snapshot, view), False),
    "planned": Recipe("parts/planned.html", lambda snapshot, _watch, view, name: planned(snapshot, view, name), False),
    "office": Recipe(
        "parts/office.html", lambda snapshot, _watch, view, name: office_page(snapshot, view, name), False
    ),
    "devices": Recipe("parts/devices.html", devices, False, lively=True),
}


@dataclass(slots=True)
class Part:
    """A part as it was last made: its text, and the number that it got then."""

    text: str
    number: int
    _values: Any = field(repr=False)
    _version: int = field(repr=False)
    _looked: float = field(repr=False)


@dataclass
class Parts:
    """All parts of the pages of one watch. `epoch` is another one after each start."""

    looking: Looking
    watch: Watch
    epoch: str = field(default_factory=lambda: secrets.token_hex(4))
    number: int = 0
    _made: dict[tuple[str, View, str], Part] = field(default_factory=dict)

    def get(self, name: str, view: View) -> Part:
        """Return a part in the reader's language as of the latest snapshot. Raises KeyError for what there is not."""
        kind, _colon, rest = name.partition(":")
        recipe = RECIPES[kind]
        key = (name, PUBLIC if recipe.same_for_all else view, current())
        part, snapshot, now = self._made.pop(key, None), self.looking.latest, time.monotonic()
        stale = part is None or part._version != snapshot.version or (recipe.lively and now - part._looked > LIVELY)
        if stale:
            part = self._make(part, recipe, recipe.values(snapshot, self.watch, key[1], rest), now)
        assert part is not None, "what is stale is made"
        self._made[key] = part  # at the end: the first is the longest unused
        if len(self._made) > KEPT:
            del self._made[next(iter(self._made))]
        return part

    def _make(self, part: Part | None, recipe: Recipe, values: Any, now: float) -> Part:
        version = self.looking.latest.version
        if part is not None and part._values == values:
            part._version, part._looked = version, now
            return part
        self.number += 1
        zone = ZoneInfo(self.watch.province.time_zone)
        text = environment().get_template(recipe.template).render(it=values, zone=zone)
        return Part(text, self.number, values, version, now)


def names_of_province(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the parts of the province's page, in order."""
    return ("summary", "troubles", "planned", "services", *(f"district:{name}" for name in snapshot.districts))


def names_of_office(office: str) -> tuple[str, ...]:
    """Return the parts of an office's page, in order."""
    return (f"office:{office}", f"planned:{office}", f"devices:{office}")
