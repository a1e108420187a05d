"""What could not be read: so that one mistake gives one complaint, and no reference to it is called unknown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from inventory.model import EMPTY


@dataclass(frozen=True)
class Gaps:
    """Names, by heading ("offices", "kinds", ...), that are declared although nothing could be made of them."""

    names: Mapping[str, frozenset[str]] = field(default_factory=lambda: EMPTY)
    unread: frozenset[str] = frozenset()  # headings of which some names are not even known

    def has(self, heading: str, name: str) -> bool:
        """Whether `name` may well be declared under `heading`."""
        return heading in self.unread or name in self.names.get(heading, ())

    def any(self, *headings: str) -> bool:
        """Whether anything is missing under one of `headings`."""
        return any(heading in self.unread or self.names.get(heading) for heading in headings)

    def plus(self, heading: str, names: Iterable[str] | None) -> "Gaps":
        """Return these gaps and the names; None stands for names that nobody could read."""
        if names is None:
            return Gaps(self.names, self.unread | {heading})
        more = self.names.get(heading, frozenset()) | frozenset(names)
        return Gaps({**self.names, heading: more}, self.unread) if more else self


NO_GAPS = Gaps()
