"""Sockets to serve on: bound before anything is asked, so that a taken port is told at once."""

import socket

import typer

from inventory.language import _


def listening(listen: str, fd: int, option: str) -> socket.socket:
    """Return the socket of ADDRESS:PORT, or the open one `fd` instead; `option` is what a complaint is about."""
    if fd >= 0:
        return socket.socket(fileno=fd)
    host, _colon, port = listen.rpartition(":")
    try:
        return socket.create_server((host.strip("[]") or "127.0.0.1", int(port)), backlog=128)
    except (OSError, ValueError, OverflowError) as error:
        raise typer.BadParameter(
            _("cannot serve on {listen}: {reason}").format(listen=listen, reason=error), param_hint=option
        ) from error
