"""The dead man's revert: a device puts back what it was, unless we come back and say that all is well.

    arm(connection, run, paths, commands, after)      before the change: save the paths, start the clock
    ...the change...
    disarm(another_connection, run)                   we can come back and it works: keep it

Without the second the device restores `paths` exactly (what was not there is removed), runs `commands`, and writes
down that it did; after a reboot while armed it does so at once. It needs systemd, tar and a shell, and asks for
nothing else: not the network, not Python, not us. Its files lie in /var/lib/tuyen/revert/<run>/ on the device.
"""

import posixpath
import re
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from importlib.resources import files
from typing import NamedTuple

from inventory.language import N_, _
from playbooks.connection import Connection
from playbooks.errors import RevertError
from playbooks.refusal import RefusedError

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LEAST_DEPTH = 2  # "/etc/ssh" may be put back as a whole, "/etc" may not
_PATIENCE = 60.0  # seconds, for a device that saves much to a slow disk
_REFUSALS = {
    "no-root": N_("arming a revert needs root"),
    "no-systemd": N_("the device runs no systemd, which would keep the revert"),
    "no-tar": N_("the device has no tar, which would save its files"),
    "no-timer": N_("systemd on the device does not start the revert's timer"),
    "armed": N_("run {what} is already armed there; it is confirmed or reverts before anything else is changed"),
    "reverting": N_("run {what} is being reverted there; look at the journal of tuyen-revert-{what}.service"),
    "used": N_("run {what} was already settled there"),
    "unwritable": N_("{what} cannot be written: is the disk full, or read-only?"),
    "unsaved": N_("the files cannot be saved: {what}"),
    "reverted": N_("the device has already returned to what it was"),
    "not-armed": N_("nothing is armed there"),
}


class State(StrEnum):
    """How a revert stands on its device."""

    ABSENT = "absent"  # never armed, or only half
    ARMED = "armed"
    REVERTING = "reverting"
    FAILED = "failed"  # something could not be put back; tried again at the next boot, or when fired
    REVERTED = "reverted"
    CONFIRMED = "confirmed"


class Standing(NamedTuple):
    """A revert's state; `left` is in seconds, while armed; `at` by the device's clock; `told` is what went wrong."""

    state: State
    left: float | None = None
    at: datetime | None = None
    told: str = ""


def arm(connection: Connection, run: str, paths: Sequence[str], commands: Sequence[str], after: float) -> None:
    """Save `paths` and make the device return to them in `after` seconds. Raises ReachError, RevertError.

    `commands` run after restoring, as root, a minute each at most. Nothing is armed when this raises RevertError;
    when the connection breaks it may be, and then ends in restoring what has not been changed.
    """
    values = {
        "AFTER": str(max(1, round(after))),
        "PATHS": "\n".join(_outermost(paths)),
        "COMMANDS": "\n".join(f"run {shlex.quote(command)}" for command in commands),
        "REVERT": _script("revert.sh"),
    }
    _ask(connection, "arm.sh", run, **values)


def look(connection: Connection, run: str) -> Standing:
    """Tell how the revert of `run` stands. Raises ReachError, RevertError."""
    word, *rest = _ask(connection, "state.sh", run).splitlines()
    state = State(word)
    number = int(rest[0]) if rest and rest[0].isdigit() else 0
    if state is State.ARMED:
        return Standing(state, left=float(number))
    return Standing(state, at=datetime.fromtimestamp(number, UTC) if rest else None, told="; ".join(rest[1:]))


def state(connection: Connection, run: str) -> State:
    """Tell how the revert of `run` stands, in a word. Raises ReachError, RevertError."""
    return look(connection, run).state


def fire(connection: Connection, run: str) -> None:
    """Make an armed device return now, without waiting; it may take our connection away. Raises ReachError."""
    connection.run_as_root(f"systemctl --no-block start {_unit(run)}.service")


def disarm(connection: Connection, run: str) -> None:
    """Confirm: what was changed stays; done twice it is done. Raises ReachError, RevertError.

    After a revert that FAILED, and was mended by hand, this takes things as they are.
    """
    _ask(connection, "disarm.sh", run)


def _ask(connection: Connection, script: str, run: str, **values: str) -> str:
    """Run one of our scripts on the device with `values` set; what it printed."""
    _unit(run)
    given = "".join(f"{name}={shlex.quote(value)}\n" for name, value in {"ID": run, **values}.items())
    try:
        answer = connection.run_as_root("sh -s", stdin=(given + _script(script)).encode(), patience=_PATIENCE)
    except RefusedError as error:
        raise RevertError(str(error)) from error
    word, _space, rest = answer.out.strip().partition(" ")
    if word == "refused" or not word:
        raise RevertError(_refusal(*rest.partition(" ")[::2]))
    return answer.out


def _refusal(reason: str, what: str) -> str:
    told = _REFUSALS.get(reason)
    if told is None:
        return _("the device did not understand how to arm a revert: its shell is no POSIX shell")
    return _(told).format(what="".join(letter if letter.isprintable() else " " for letter in what)[:200])


def _unit(run: str) -> str:
    """Return the name of the device's units. Raises RevertError for a name that cannot be one."""
    if not _RUN.fullmatch(run):
        raise RevertError(_("'{run}' cannot name a revert: letters, digits, dots and dashes can").format(run=run))
    return f"tuyen-revert-{run}"


def _outermost(paths: Sequence[str]) -> list[str]:
    """Return `paths` without those inside another. Raises RevertError for one that cannot be put back as a whole."""
    for path in paths:
        whole = posixpath.isabs(path) and posixpath.normpath(path) == path and path.isprintable()
        if not whole or path.count("/") < _LEAST_DEPTH:
            raise RevertError(
                _("'{path}' cannot be put back: write absolute paths of files and folders such as /etc/ssh").format(
                    path=path
                )
            )
    return [path for path in dict.fromkeys(paths) if not any(path.startswith(f"{other}/") for other in paths)]


def _script(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8").rstrip("\n")
