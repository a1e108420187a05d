"""Who looks, and what they may see: the public sees states and causes, staff sees everything below their office."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from inventory.model import Province
from inventory.selector import below


@dataclass(frozen=True, slots=True)
class View:
    """What is shown: `under` None is the public view, "" everything, an office's id what lies below it."""

    under: str | None = None

    @property
    def is_staff(self) -> bool:
        """Whether somebody is logged in."""
        return self.under is not None

    def inside(self, province: Province) -> frozenset[str]:
        """Return the ids of the offices of which everything is shown."""
        if self.under is None:
            return frozenset()
        return frozenset(below(province, self.under)) if self.under else frozenset(province.offices)


PUBLIC = View()


def view_of(connection: HTTPConnection) -> View:
    """Return the view of the one who asks."""
    person = getattr(connection.state, "person", None)
    return PUBLIC if person is None else View(str(person.under))
