"""The templates of the status page, and how one becomes an answer.

Every text from outside is escaped; a message with values is written `{{ _("{count} offices")|fill(count=n) }}`.
"""

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from exporters.page.assets import asset
from exporters.page.marks import between, clock, described, lasted, on, percent, since, told, when
from exporters.page.words import CAUSES, KINDS, MEANINGS, MEDIA, ROLLOUT_WORDS, STATES
from inventory.language import _, current

_ROOM = Path(__file__).parent.parent
FOLDERS = (_ROOM / "page" / "templates", _ROOM / "access" / "templates", _ROOM / "api" / "templates")
LANGUAGES: Mapping[str, str] = {"vi": "Tiếng Việt", "en": "English"}  # each in its own words


def fill(text: str, **values: object) -> Markup:
    """Put values into a message's braces; both are taken as text, never as markup."""
    return escape(text).format(**values)


@cache
def environment() -> Environment:
    """Return the environment that all pages are made in."""
    made = Environment(
        loader=FileSystemLoader(FOLDERS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"_": _, "languages": LANGUAGES, "asset": asset}
    made.globals |= {"states": STATES, "meanings": MEANINGS, "causes": CAUSES, "kinds": KINDS, "media": MEDIA}
    made.globals |= {"rollout_words": ROLLOUT_WORDS}
    made.globals |= {
        mark.__name__: mark for mark in (when, between, since, clock, on, lasted, percent, told, described)
    }
    made.filters["fill"] = fill
    return made


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Answer with a template that extends base.html, in the language and for the person of the request."""
    text = environment().get_template(template).render(**common(request), **values)
    return HTMLResponse(text, status, {"cache-control": "no-store"})


def common(request: Request) -> dict[str, Any]:
    """Return what base.html needs. `person` is the Visitor that is logged in, or None; `csrf` the session's token."""
    state = request.app.state
    return {
        "province": state.watch.province.name,
        "practice": state.watch.province.practice,
        "language": current(),
        "path": request.url.path,
        "now": time.time(),
        "zone": ZoneInfo(state.watch.province.time_zone),
        "person": getattr(request.state, "person", None),
        "csrf": getattr(request.state, "csrf", ""),
        "has_login": getattr(state, "has_login", False),
    }
