"""Asking Prometheus one question: an instant query, and the numbers that it answers.

QueryError    no answer that can be understood; the message is the reason
"""

import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from exporters.reading import plain
from inventory.language import _

_MOST = 4 << 20  # bytes of an answer


class QueryError(Exception):
    """There is no answer, or none that can be understood; the message is for the user."""


def instant_query(base: str, expression: str, *, seconds: float = 10.0) -> tuple[float, ...]:
    """Return the values of `expression` now, one a series, as the Prometheus at `base` (a URL) says. QueryError."""
    try:
        status, body = _fetch(base, f"/api/v1/query?{urlencode({'query': expression})}", seconds)
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = plain(str(error)) or type(error).__name__
        raise QueryError(
            _("Prometheus at {base} does not answer: {reason}").format(base=base, reason=reason)
        ) from error
    try:
        return _values(json.loads(body))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        message = _("Prometheus at {base} cannot tell '{query}': HTTP {status}, {said}")
        said = plain(body)
        raise QueryError(message.format(base=base, query=expression, status=status, said=said)) from error


def _fetch(base: str, path: str, seconds: float) -> tuple[int, bytes]:
    url = urlsplit(base)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "localhost", url.port, timeout=seconds)
    try:
        connection.request("GET", url.path.rstrip("/") + path)
        answer = connection.getresponse()
        return answer.status, answer.read(_MOST)
    finally:
        connection.close()


def _values(told: Any) -> tuple[float, ...]:
    if told["status"] != "success":
        raise ValueError(told["status"])
    data = told["data"]
    if data["resultType"] == "scalar":
        return (float(data["result"][1]),)
    if data["resultType"] == "vector":
        return tuple(float(series["value"][1]) for series in data["result"])
    raise ValueError(data["resultType"])
