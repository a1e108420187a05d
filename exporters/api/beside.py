"""What login and the interface for programs add to the status page."""

from collections.abc import Callable

from starlette.middleware import Middleware

from exporters.access.desk import Desk
from exporters.access.middleware import Doorkeeper
from exporters.access.routes import routes
from exporters.api.endpoints import BEFORE
from exporters.api.routes import Api
from exporters.outages.keeping import Keeping
from exporters.page.app import Beside
from exporters.rollouts import RolloutFigures


def beside(desk: Desk, keeping: Keeping, read_rollouts: Callable[[], tuple[RolloutFigures, ...]]) -> Beside:
    """Return the routes, and the middleware that says who asks; `desk.close` belongs at the end."""
    doorkeeper = Middleware(Doorkeeper, desk=desk, only_read=BEFORE)
    api = Api(desk, keeping, read_rollouts)
    return Beside([*routes(desk), *api.routes()], [doorkeeper], has_login=True)
