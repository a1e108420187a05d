"""What systemd is told about the units."""

import subprocess
from collections.abc import Sequence

from inventory.finding import InventoryError
from inventory.language import _

_SECONDS = 300  # that starting may take


class ManagerError(InventoryError):
    """systemd refuses, or is not there."""


def reload() -> None:
    """Let systemd read its files again. Raises ManagerError."""
    _systemctl("daemon-reload")


def start(wanted: Sequence[str], changed: Sequence[str]) -> None:
    """Start what is wanted now and at every boot; what runs as it was before is started anew. Raises ManagerError."""
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", *wanted)
    again = [name for name in changed if name in wanted]
    if again:
        _systemctl("try-restart", *again)


def stop(names: Sequence[str]) -> None:
    """Stop the units, and start them at no boot; a job that runs is ended, too. Raises ManagerError."""
    plain = [name for name in names if "@." not in name]
    patterns = [name.replace("@.", "@*.") for name in names if "@." in name]
    if plain:
        _systemctl("disable", "--now", *plain)
        timers = [name for name in plain if name.endswith(".timer")]
        _systemctl("clean", "--what=state", *timers, fail=False)  # when they last ran; some never have
    if names:
        _systemctl("stop", *(name for name in (*plain, *patterns) if name.endswith(".service")))
        _systemctl("reset-failed", *plain, *patterns, fail=False)  # those that never ran are not known there


def _systemctl(*words: str, fail: bool = True) -> None:
    try:
        done = subprocess.run(
            ["systemctl", "--no-ask-password", *words], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ManagerError(_("systemd cannot be told: {reason}").format(reason=error)) from error
    if done.returncode and fail:
        reason = " ".join(done.stderr.split()) or str(done.returncode)
        raise ManagerError(_("'systemctl {words}' failed: {reason}").format(words=" ".join(words), reason=reason))
