"""Talking to a lab that is up: one line of JSON asked, one answered, over its control socket."""

import contextlib
import json
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inventory.language import _
from lab.errors import AbsentError, NotRealError, StartError, UnknownPartError
from lab.files import CONTROL, open_folder

_PATIENCE = 60.0  # seconds


@contextlib.contextmanager
def _connection(folder: Path) -> Iterator[socket.socket]:
    try:
        directory = open_folder(folder)
    except FileNotFoundError:
        raise absent(folder) from None
    try:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.settimeout(_PATIENCE)
            opened.connect(f"/proc/self/fd/{directory}/{CONTROL}")
            yield opened
    except (FileNotFoundError, ConnectionRefusedError):
        raise absent(folder) from None
    finally:
        os.close(directory)


def absent(folder: Path) -> AbsentError:
    """Return the error for a folder in which no lab is up."""
    return AbsentError(_("no lab is up in {folder}; start one with: tuyen lab up").format(folder=folder))


def ask(folder: Path, do: str, **asked: object) -> dict[str, Any]:
    """Have the lab do something and return its state afterwards.

    Raises AbsentError, UnknownPartError with the nearest right names, NotRealError, StartError when the lab fails.
    """
    with _connection(folder) as opened:
        opened.sendall(json.dumps({"do": do, **asked}).encode() + b"\n")
        with opened.makefile("rb") as answers:
            line = answers.readline()
    answer: dict[str, Any] = json.loads(line) if line else {"failed": _("the lab has gone")}
    if "unknown" in answer:
        raise _unknown(answer["unknown"], answer["near"], links_only=do == "impair")
    if "not_real" in answer:
        raise NotRealError(
            _("{device} is no real machine in this lab; bring it up with: tuyen lab up --machines {device}").format(
                device=answer["not_real"]
            )
        )
    if "failed" in answer:
        raise StartError(_("the lab could not do it: {reason}").format(reason=answer["failed"]))
    return answer


def _unknown(name: str, near: list[str], *, links_only: bool) -> UnknownPartError:
    if links_only:
        message = _("only links can be made bad, and '{name}' is none; the nearest: {near}").format(
            name=name, near=", ".join(near) or "?"
        )
    elif not near:
        message = _("the province has no office, link or device '{name}'").format(name=name)
    else:
        message = _("the province has no office, link or device '{name}'; the nearest: {near}").format(
            name=name, near=", ".join(near)
        )
    return UnknownPartError(message)


def keeper_of(folder: Path) -> int:
    """Return the process id of the keeper, as the kernel knows it here. Raises AbsentError."""
    with _connection(folder) as opened:
        peer = opened.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", peer)[0])
