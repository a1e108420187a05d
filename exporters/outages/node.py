"""The words of outages: what can be out, for what cause, and how bad it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from inventory.topology import State


class Kind(StrEnum):
    """What can be out."""

    DEVICE = "device"
    OFFICE = "office"
    LINK = "link"
    SERVICE = "service"


class Node(NamedTuple):
    """Something that can be out, by its kind and its permanent id."""

    kind: Kind
    id: str


class Cause(StrEnum):
    """Whose fault it was. Upstream: it is only behind something that is out, which the root outage names."""

    DEVICE = "device"
    LINK = "link"
    POWER = "power"
    UPSTREAM = "upstream"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


class Grade(StrEnum):
    """How much is lost: an interval has one grade. Degraded things still serve; away is down or unreachable."""

    DEGRADED = "degraded"
    AWAY = "away"
    MAINTENANCE = "maintenance"


GRADES: Mapping[State, Grade] = MappingProxyType(
    {
        State.DEGRADED: Grade.DEGRADED,
        State.DOWN: Grade.AWAY,
        State.UNREACHABLE: Grade.AWAY,
        State.MAINTENANCE: Grade.MAINTENANCE,
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What a node is out with: `root` is the node whose fault it is, None for its own; `evidence` is JSON."""

    state: State
    cause: Cause
    root: Node | None = None
    evidence: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), compare=False)

    @property
    def grade(self) -> Grade:
        """How much is lost."""
        return GRADES[self.state]
