"""The pages for those who are logged in: rollouts in progress, and what ends soon."""

import time
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exporters.page.environment import page
from exporters.page.expiry import certificates, out_of_warranty, supports, warranties
from exporters.page.history import History
from exporters.page.parts import Parts
from exporters.page.view import View, view_of

SHOWN = 200  # lines of a table at most


@dataclass(frozen=True)
class StaffPages:
    """The handlers."""

    parts: Parts
    history: History

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/rollouts", self.rollouts), Route("/expiry", self.expiry)]

    async def rollouts(self, request: Request) -> Response:
        """Show the rollouts of late; who acts in one district only is shown their numbers, as they are everybody's."""
        self._view(request)
        return page(request, "rollouts.html", rollouts=await self.history.rollouts())

    async def expiry(self, request: Request) -> Response:
        """Show certificates and hardware that end soon."""
        view, province, today = self._view(request), self.parts.looking.look().province, self._today()
        inside = view.inside(province)
        values: dict[str, Any] = {
            "certificates": certificates(self.parts.watch.latest.items(), province, inside, time.time()),
            "supports": supports(province, inside, today),
            "warranties": warranties(province, inside, today),
            "ended": out_of_warranty(province, inside, today),
        }
        return page(request, "expiry.html", today=today, shown=SHOWN, **values)

    def _view(self, request: Request) -> View:
        view = view_of(request)
        if not view.is_staff:
            raise HTTPException(401)
        return view

    def _today(self) -> date:
        """Return the day; the practice province stays on the one as of which it was declared."""
        province = self.parts.looking.look().province
        return province.as_of if province.practice else self.history.today()
