"""Who is told of what, and how: people.yaml's `notify`, as far as Alertmanager can carry it without a secret.

People say their language; an address may say another one, `?lang=en`; without either it is Vietnamese. A plain
`mailto:name@domain` becomes an e-mail through the mail server that `alerts:` names, `json://` and `jsons://` (apprise's
words) a webhook. Whatever holds a password or speaks to another service stays with `tuyen` itself; `left_out` names it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlsplit

from exporters.kit.alert import LANGUAGES
from inventory.model import Person, Province
from inventory.selector import below
from inventory.services import TOLD

_WEBHOOKS: Mapping[str, str] = {"json": "http", "jsons": "https"}


@dataclass(frozen=True, slots=True)
class Receiver:
    """All who are told the same: `under` is an office, and what lies below it is theirs."""

    under: str
    language: str
    emails: tuple[str, ...]
    webhooks: tuple[str, ...]  # URLs

    @property
    def name(self) -> str:
        """Its name in Alertmanager, for example "an-bien-vi"."""
        return f"{self.under}-{self.language}"


def receivers_of(province: Province) -> tuple[Receiver, ...]:
    """Return the receivers, in the order in which people.yaml first names their offices."""
    found: dict[tuple[str, str], list[str]] = {}
    for person in people_told(province):
        for address in person.notify:
            language, sendable = language_of(person, address), _sendable(address)
            if sendable:
                found.setdefault((person.under, language), []).append(sendable)
    return tuple(_receiver(under, language, addresses) for (under, language), addresses in found.items())


def left_out(province: Province) -> tuple[tuple[str, str], ...]:
    """Return (account, scheme) of each address that the kit cannot carry."""
    return tuple(
        (person.account, address.partition(":")[0])
        for person in people_told(province)
        for address in person.notify
        if not _sendable(address)
    )


def matchers_of(province: Province, under: str) -> list[str]:
    """Return what an alert must have to concern the office `under` or one below it; nothing for the root's."""
    if not province.offices[under].parent:
        return []
    theirs = set(below(province, under))
    districts = sorted({province.offices[office].district for office in theirs})
    whole = {office.id for office in province.offices.values() if office.district in districts}
    if "" not in districts and whole == theirs:
        return [f'district=~"{"|".join(districts)}"']
    return [f'office=~"{"|".join(sorted(theirs))}"']


def people_told(province: Province) -> Iterator[Person]:
    """Yield those who are told of what is out under their office: who may act, and who approves."""
    return (
        person for person in province.people.values() if person.under in province.offices and TOLD & {*person.roles}
    )


def language_of(person: Person, address: str) -> str:
    """Return the language, "vi" or "en", in which a person is told at an address of theirs."""
    parts = _split(address)
    said = parse_qs(parts.query).get("lang", [""])[0] if parts else ""
    return said if said in LANGUAGES else person.language or LANGUAGES[0]


def _receiver(under: str, language: str, addresses: list[str]) -> Receiver:
    unique = dict.fromkeys(addresses)
    emails = tuple(address for address in unique if "://" not in address)
    return Receiver(under, language, emails, tuple(address for address in unique if "://" in address))


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None


def _sendable(address: str) -> str:
    """Return an e-mail address or a URL, or "" where there is neither, or a secret in it."""
    parts = _split(address)
    if parts is None or parse_qs(parts.query).keys() - {"lang"}:
        return ""
    if parts.scheme == "mailto" and not parts.netloc:
        return parts.path
    if parts.scheme in _WEBHOOKS and parts.hostname and "@" not in parts.netloc:
        return f"{_WEBHOOKS[parts.scheme]}://{parts.netloc}{parts.path or '/'}"
    return ""
