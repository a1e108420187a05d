"""HTTP/1.1: one page a path, one request a connection."""

import asyncio
import html
import re
from collections.abc import Mapping
from email.utils import formatdate

_REQUEST = re.compile(rb"(GET|HEAD|POST|OPTIONS) (\S+) HTTP/1\.[01]\r?\n")
_PAGE = """<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{name}</p><p>Practice province: this page is an exercise.</p></body></html>
"""


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str, pages: Mapping[str, str]
) -> None:
    """Answer one request to the host `name`, whose `pages` map paths to titles; its "/" is always there."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        head = b""
    writer.write(answer(head, name, pages))
    await writer.drain()


def answer(head: bytes, name: str, pages: Mapping[str, str]) -> bytes:
    """Return the whole answer to the request whose head is `head`."""
    request = _REQUEST.match(head)
    if not request:
        return _response("400 Bad Request", "Bad Request", name)
    path = request[2].decode("ascii", "replace").partition("?")[0]
    title = pages.get(path) or ({"/": name, "/metrics": name}.get(path))
    if title is None:
        return _response("404 Not Found", "Not Found", name, request[1] != b"HEAD")
    return _response("200 OK", title, name, request[1] != b"HEAD")


def _response(status: str, title: str, name: str, with_body: bool = True) -> bytes:
    body = _PAGE.format(title=html.escape(title), name=html.escape(name)).encode()
    head = (
        f"HTTP/1.1 {status}\r\nServer: lab\r\nDate: {formatdate(usegmt=True)}\r\n"
        f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (body if with_body else b"")
