"""The table of all lists: from it come the answers, the OpenAPI document and the page that describes them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from exporters.api import answers
from exporters.api.asked import Asked
from exporters.api.items import (
    DayItem,
    DeviceItem,
    Item,
    OfficeItem,
    OutageItem,
    PlannedItem,
    RolloutItem,
    ServiceItem,
    StateItem,
)
from exporters.api.queries import Chosen, Days, InState, Outages, Query, Rollouts, Services, States
from inventory.language import N_

BEFORE = "/api/v1/"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One list. `answer` yields its items in the order of `key`, which is what `after` and `next` hold."""

    name: str
    about: str  # N_
    query: type[Query]
    item: type[Item]
    answer: Callable[[Asked[Any]], Iterable[Item]]
    key: Callable[[Any], str]
    example: str = ""  # what one would ask for

    @property
    def path(self) -> str:
        """Where it is."""
        return BEFORE + self.name


def _id(item: Any) -> str:
    return str(item.id)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "offices", N_("Offices and their states."), InState, OfficeItem, answers.offices, _id, "selector=tier%3Dcommune"
    ),
    Endpoint(
        "devices", N_("Devices and their states."), InState, DeviceItem, answers.devices, _id, "selector=role%3Drouter"
    ),
    Endpoint("services", N_("Services and their states."), Services, ServiceItem, answers.services, _id),
    Endpoint(
        "states",
        N_("The states of all devices, offices, links and services in one list."),
        States,
        StateItem,
        answers.states,
        lambda item: f"{item.kind}/{item.id}",
        "kind=link&state=down",
    ),
    Endpoint(
        "outages",
        N_("Outages: since when, for how long, and whose fault it was."),
        Outages,
        OutageItem,
        answers.outages,
        _id,
        "open=true&roots=true",
    ),
    Endpoint(
        "planned",
        N_("Planned work that is under way or to come."),
        Chosen,
        PlannedItem,
        answers.planned,
        lambda item: f"{item.began}/{item.id}",
        "selector=under%3Dan-bien",
    ),
    Endpoint(
        "uptime",
        N_("Uptime day by day: seconds in each state, questions and round trips."),
        Days,
        DayItem,
        answers.uptime,
        lambda item: f"{item.day}/{item.kind}/{item.node}",
        "first=2026-11-01&last=2026-11-30&kind=office",
    ),
    Endpoint(
        "rollouts",
        N_("Rollouts of late and how far they are."),
        Rollouts,
        RolloutItem,
        answers.rollouts,
        lambda item: str(item.rollout),
    ),
)
