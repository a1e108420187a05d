"""The files that pages are made of beside their text: style, scripts, signs. None comes from elsewhere."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
_FOREVER = "public, max-age=31536000, immutable"
_LOOK_AGAIN = "public, max-age=300"


@cache
def _digests() -> Mapping[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in FOLDER.iterdir()}


def asset(name: str) -> str:
    """Return the path of a file, another one whenever the file has changed. Raises KeyError for what there is not."""
    return f"/static/{name}?v={_digests()[name]}"


class Assets(StaticFiles):
    """Serves the files; browsers keep what they asked for by its digest."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file, or that the reader's own one is still good."""
        response = await super().get_response(path, scope)
        known = Request(scope).query_params.get("v") == _digests().get(path)
        if isinstance(response, FileResponse) or response.status_code == 304:
            response.headers["cache-control"] = _FOREVER if known else _LOOK_AGAIN
        return response
