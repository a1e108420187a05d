"""What one may ask for. Unknown parameters are refused, so that a slip of the pen does not look like an answer."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from exporters.outages.node import Cause, Kind
from inventory.language import N_
from inventory.topology import State

MOST, USUAL = 1000, 100  # items of one answer
KindFilter = Annotated[Kind | None, Field(description=N_("only of this kind: device, office, link or service"))]
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)  # of which the ledger can be asked
StateFilter = Annotated[State | None, Field(description=N_("only what is in this state"))]


class Query(BaseModel):
    """What every list understands."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    limit: Annotated[int, Field(ge=1, le=MOST, description=N_("at most so many items"))] = USUAL
    after: Annotated[
        str, Field(max_length=500, description=N_("only items after this one: the 'next' of the answer before"))
    ] = ""


class Chosen(Query):
    """A list of what the inventory knows."""

    selector: Annotated[
        str,
        Field(
            max_length=2000,
            description=N_("which: an id, or conditions such as 'tier=commune,role=server' or 'under=an-bien'"),
        ),
    ] = ""


class InState(Chosen):
    """A list of what has a state."""

    state: StateFilter = None


class Services(Query):
    """Services."""

    state: StateFilter = None


class States(InState):
    """States of everything."""

    kind: KindFilter = None


class Outages(Chosen):
    """Outages of which any part lies in [since, until)."""

    since: Annotated[
        AwareDatetime | None,
        Field(
            ge=_FIRST,
            le=_LAST,
            description=N_("with its offset: 2026-11-25T00:00:00+07:00; default: 7 days before 'until'"),
        ),
    ] = None
    until: Annotated[
        AwareDatetime | None, Field(ge=_FIRST, le=_LAST, description=N_("with its offset; default: now"))
    ] = None
    open: Annotated[bool | None, Field(description=N_("only those that last, or only those that are over"))] = None
    roots: Annotated[bool, Field(description=N_("only those that follow from no other"))] = False
    kind: KindFilter = None
    cause: Annotated[Cause | None, Field(description=N_("only with this cause"))] = None


class Days(Chosen):
    """Days from first to last."""

    first: Annotated[date | None, Field(description=N_("the first day; default: 7 days before 'last'"))] = None
    last: Annotated[date | None, Field(description=N_("the last day; default: today"))] = None
    kind: Annotated[Literal["device", "office", "link", "service"], Field(description=N_("of this kind"))] = "office"


class Rollouts(Query):
    """Rollouts."""

    status: Annotated[str, Field(max_length=100, description=N_("only with this status"))] = ""
