"""Who is told of what: every address of people.yaml once, with the offices that it is told of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from exporters.alerts.trouble import Trouble
from exporters.kit.alert import Severity
from exporters.kit.receivers import language_of, people_told
from inventory.model import Person, Province
from inventory.selector import below
from inventory.windows import Hours, Window


@dataclass(frozen=True, slots=True)
class Reader:
    """An address, and what it is told of: the troubles of `offices`, and if `whole` those of the province itself."""

    person: str  # an account
    address: str
    language: str
    offices: frozenset[str]
    whole: bool
    quiet: Window | None = None

    @property
    def key(self) -> str:
        """What the ledger calls it: an address may hold a secret."""
        return sha256(self.address.encode("utf-8", "surrogateescape")).hexdigest()

    def is_told_of(self, trouble: Trouble) -> bool:
        """Whether it is theirs to know."""
        return trouble.office in self.offices if trouble.office else self.whole

    def sleeps(self, trouble: Trouble, at: datetime, zone: ZoneInfo) -> bool:
        """Whether it can wait until they are up: nobody gets up for a warning."""
        if self.quiet is None or trouble.alert.severity is Severity.CRITICAL:
            return False
        return Hours((self.quiet,), (), zone).is_open(at)


def readers_of(province: Province) -> Mapping[str, Reader]:
    """Return who is told, by their keys. An address that several people name is told of what concerns any of them."""
    found: dict[str, Reader] = {}
    for person in people_told(province):
        for address in person.notify:
            reader = _reader(province, person, address)
            known = found.get(reader.key, reader)
            offices, whole = known.offices | reader.offices, known.whole or reader.whole
            found[reader.key] = replace(known, offices=offices, whole=whole)
    return found


def _reader(province: Province, person: Person, address: str) -> Reader:
    offices, whole = frozenset(below(province, person.under)), not province.offices[person.under].parent
    return Reader(person.account, address, language_of(person, address), offices, whole, person.quiet)
