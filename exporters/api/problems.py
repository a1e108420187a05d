"""What goes wrong, told as RFC 9457 says: a table of every problem, with its reason and what to do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from inventory.language import N_, _

MEDIA_TYPE = "application/problem+json"
PAGE = "/api"  # where the problems are described


class Problem(BaseModel):
    """Why there is no answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    type: Annotated[str, Field(description=N_("where this problem is described; stable"))]
    title: str
    status: int
    detail: Annotated[str, Field(description=N_("the reason"))]
    remedy: Annotated[str, Field(description=N_("what to do"))]
    parameters: Annotated[dict[str, str], Field(description=N_("what is wrong, by the name of the parameter"))]


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table; texts are marked, and translated when they are shown."""

    status: int
    title: str
    remedy: str


KINDS: Mapping[str, Kind] = {
    "login": Kind(
        401,
        N_("Nobody is logged in"),
        N_("send 'Authorization: Bearer TOKEN'; `tuyen account token create PERSON --label WHAT` makes a token"),
    ),
    "token": Kind(
        401,
        N_("The token is not good"),
        N_("it is over, revoked, or mistyped, or its account is closed; `tuyen account token list` tells"),
    ),
    "parameter": Kind(400, N_("A parameter is not understood"), N_("mend the parameters that are named")),
    "selector": Kind(400, N_("The selector chooses nothing"), N_("mend the selector as the detail says")),
    "unknown": Kind(404, N_("There is no such list"), N_("write one of the lists that /api describes")),
    "method": Kind(405, N_("Here one can only read"), N_("ask with GET")),
    "ledger": Kind(
        503, N_("The ledger does not answer"), N_("ask again in a minute; its reason is in the watch's log")
    ),
}


class ProblemError(Exception):
    """Ends a question with a problem of the table."""

    def __init__(self, kind: str, detail: str, parameters: Mapping[str, str] | None = None) -> None:
        self.kind, self.detail, self.parameters = kind, detail, dict(parameters or {})
        super().__init__(detail)


def answer(error: ProblemError) -> Response:
    """Return a problem as a response, in the reader's language."""
    kind = KINDS[error.kind]
    headers = {"cache-control": "no-store"}
    if kind.status == 401:
        headers["www-authenticate"] = 'Bearer realm="tuyen"'
    if kind.status == 405:
        headers["allow"] = "GET, HEAD"
    told: Mapping[str, Any] = Problem(
        type=f"{PAGE}#{error.kind}",
        title=_(kind.title),
        status=kind.status,
        detail=error.detail,
        remedy=_(kind.remedy),
        parameters=error.parameters,
    ).model_dump()
    return Response(json.dumps(told, ensure_ascii=False), kind.status, headers, MEDIA_TYPE)
