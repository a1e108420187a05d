"""Who looks at the page."""

from dataclasses import dataclass

from inventory.language import current
from inventory.model import Person, Province
from inventory.selector import below


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person of people.yaml who has logged in, or whose token was shown.

    They see what lies under the office `under`, "" for everything; `language` ("vi", "en") is what they read.
    """

    account: str
    name: str
    under: str
    language: str

    def offices(self, province: Province) -> frozenset[str]:
        """Return the ids of the offices that they may look into."""
        return frozenset(below(province, self.under) if self.under else province.offices)


def visitor_of(province: Province, person: Person) -> Visitor:
    """Return a person as a visitor; below the root lies everything."""
    office = province.offices.get(person.under)
    under = "" if office is not None and office.uplink is None else person.under
    return Visitor(person.account, person.name, under, current())
