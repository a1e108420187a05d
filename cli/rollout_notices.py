"""Who is told what of a rollout: those who may approve of what waits for them, the author and the operators else."""

from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Self

from exporters.kit.receivers import language_of
from exporters.notify import Message, Notifier
from inventory.language import N_, _, speaking
from inventory.model import Person, Province
from inventory.selector import below
from playbooks.rollout.plan import RolloutPlan
from playbooks.rollout.seams import Notice

TITLES = {
    "paused": N_("{province}: rollout {rollout} is paused"),
    "failed": N_("{province}: rollout {rollout} has failed"),
    "approval": N_("{province}: rollout {rollout} waits for approval"),
    "ended": N_("{province}: rollout {rollout} has ended"),
    "rolled-back": N_("{province}: rollout {rollout} is rolled back"),
    "trouble": N_("{province}: rollout {rollout} is held up"),
}


class RolloutNotices:
    """Tells people by apprise. Use it as a context: at its end what is on its way is delivered."""

    def __init__(self, province: Province, plan: RolloutPlan) -> None:
        self._province, self._plan = province, plan
        self._notifier = Notifier(sender=province.alerts.sender, relay=province.alerts.relay)

    def tell(self, notice: Notice) -> None:
        """Tell everybody a notice in their own language, and return at once."""
        people = people_for(self._province, self._plan, notice.kind)
        for language, addresses in addresses_by_language(people).items():
            with speaking(language):
                title = _(TITLES.get(notice.kind, TITLES["trouble"]))
                title = title.format(province=self._province.name, rollout=notice.rollout)
                self._notifier.tell(Message(addresses, title, notice.text))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._notifier.close()


def addresses_by_language(people: Iterable[Person]) -> Mapping[str, tuple[str, ...]]:
    """Return where people are told in which language ("vi", "en"); an address of several speaks the first one's."""
    found: dict[str, str] = {}
    for person in people:
        for address in person.notify:
            found.setdefault(address, language_of(person, address))
    return {
        language: tuple(address for address, its in found.items() if its == language)
        for language in dict.fromkeys(found.values())
    }


def people_for(province: Province, plan: RolloutPlan, kind: str) -> tuple[Person, ...]:
    """Return whom a notice of that kind is for, in the order of people.yaml."""
    return tuple(dict.fromkeys(_people_for(province, plan, kind)))


def _people_for(province: Province, plan: RolloutPlan, kind: str) -> Iterator[Person]:
    offices = {province.devices[device].office for device in plan.devices if device in province.devices}
    for person in province.people.values():
        touched = not offices.isdisjoint(below(province, person.under))
        if kind == "approval":
            if touched and "approver" in person.roles and person.account != plan.author:
                yield person
        elif person.account == plan.author or (touched and "operator" in person.roles):
            yield person
