"""Who is to be told what, and when. Pure.

A trouble that has lasted long enough waits in its group a little for others, so that they come as one message; it is
told again while it lasts, and its end to all who knew of it. What is muted is not told, but who knew of it hears of its
end. When many groups come at once, or messages come one after the other, all that is known goes into one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from exporters.alerts.readers import Reader
from exporters.alerts.trouble import Trouble
from exporters.kit.alertmanager import GROUP_BY
from exporters.kit.settings import KitSettings
from inventory.model import AlertSettings

FEW = 3  # groups that come at once, each as a message of its own
MOST = 12  # messages to one reader within `LATELY`; more of them are `APART`, each with all that came meanwhile
LATELY, APART = 3600.0, 600.0  # seconds
Group = tuple[str, ...]


class Phase(StrEnum):
    """What is said of a trouble: that it is there, or that it is over. The words are Alertmanager's."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Line:
    """What a message says of one trouble: that it is there, or that it is over, since `at` (Unix seconds)."""

    phase: Phase
    trouble: Trouble
    at: float


@dataclass(frozen=True, slots=True)
class Draft:
    """One message to be written."""

    reader: Reader
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A trouble as it was told last, at that moment (Unix seconds)."""

    trouble: Trouble
    at: float


@dataclass
class Known:
    """What one reader knows and waits for: troubles by id, when messages were written lately, groups' first moments."""

    told: dict[str, Told] = field(default_factory=dict)
    made: list[float] = field(default_factory=list)
    waits: dict[Group, float] = field(default_factory=dict)

    def take(self, lines: Iterable[Line], at: float) -> None:
        """Remember what was written in one message."""
        for line in lines:
            self.waits.pop(group_of(line.trouble), None)
            if line.phase is Phase.FIRING:
                self.told[line.trouble.id] = Told(line.trouble, at)
            else:
                self.told.pop(line.trouble.id, None)
        self.made = [moment for moment in self.made if at - moment < LATELY] + [at]


@dataclass(frozen=True)
class Now:
    """What is wrong at a moment, by id. `ended` tells since when another one is over; None where that is not known."""

    troubles: Mapping[str, Trouble]
    ended: Callable[[Trouble], float | None]
    at: float
    zone: ZoneInfo


@dataclass(frozen=True)
class Course:
    """Decides by the settings of the province and of the kit."""

    settings: AlertSettings
    kit: KitSettings

    def drafts(self, reader: Reader, known: Known, now: Now) -> tuple[Draft, ...]:
        """Return the messages that are due to a reader; which groups wait since when is remembered in `known`."""
        groups = self._groups(reader, known, now)
        known.waits = {group: known.waits.get(group, now.at) for group in groups}
        ready = [group for group, since in known.waits.items() if now.at - since >= self.settings.group_wait]
        if not ready:
            return ()
        lately = [moment for moment in known.made if now.at - moment < LATELY]
        if len(ready) <= FEW and len(lately) + len(ready) <= MOST:
            return tuple(Draft(reader, tuple(groups[group])) for group in ready)
        if len(lately) >= MOST and now.at - max(lately) < APART:
            return ()
        return (Draft(reader, tuple(line for lines in groups.values() for line in lines)),)

    def _groups(self, reader: Reader, known: Known, now: Now) -> dict[Group, list[Line]]:
        """Return what is due, by group, in order of time."""
        groups: dict[Group, list[Line]] = {}
        moment = datetime.fromtimestamp(now.at, UTC)
        for line in sorted(self._lines(reader, known, now), key=lambda line: (line.phase, line.trouble.since)):
            if not reader.sleeps(line.trouble, moment, now.zone):
                groups.setdefault(group_of(line.trouble), []).append(line)
        return groups

    def _lines(self, reader: Reader, known: Known, now: Now) -> Iterator[Line]:
        for trouble in now.troubles.values():
            told = known.told.get(trouble.id)
            if not trouble.muted and reader.is_told_of(trouble) and self._is_due(trouble, told, now.at):
                yield Line(Phase.FIRING, trouble, trouble.since)
        for name, told in known.told.items():
            if name not in now.troubles and (ended := now.ended(told.trouble)) is not None:
                yield Line(Phase.RESOLVED, told.trouble, ended)

    def _is_due(self, trouble: Trouble, told: Told | None, at: float) -> bool:
        if told is not None:
            return at - told.at >= self.settings.repeat
        return at - trouble.since >= trouble.lasts_for(self.kit, self.settings.after)


def group_of(trouble: Trouble) -> Group:
    """Return the group of a trouble, by the labels that Alertmanager groups by."""
    return tuple(trouble.labels.get(label, "") for label in GROUP_BY)
