"""Why a device was not reached or a task failed: from the words of ssh and Ansible to one sentence for people."""

import re
from collections.abc import Mapping
from typing import Any

from inventory.language import N_, _

# The first that matches ssh's words counts; what it says more of comes first.
_UNREACHABLE: tuple[tuple[str, str], ...] = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed.*differs",
        N_(
            "the host key has changed: the machine was reinstalled, or another one answers in its place; "
            "find out which, then: tuyen hosts trust {device} --replace"
        ),
    ),
    (
        r"No \S+ host key is known|Host key verification failed",
        N_("no host key is pinned; pin it: tuyen hosts trust {device}"),
    ),
    (
        r"Permission denied \((?P<how>[^)]*)\)",
        N_("the login was refused ({how}): check the account, its key or its password"),
    ),
    (
        r"Too many authentication failures",
        N_("the login was refused after too many keys: name one key in the access rules"),
    ),
    (
        r"timed out during banner exchange|Connection to .* timed out while waiting to read",
        N_("it accepted the connection and then said nothing for {seconds} s: restart its sshd or the machine"),
    ),
    (
        r"Connection timed out|Operation timed out",
        N_("no answer within {seconds} s: it is off, cut off, or a firewall drops us"),
    ),
    (r"Connection refused", N_("the connection was refused: sshd is not running, or on another port")),
    (r"No route to host|Network is unreachable", N_("there is no way to its address: check the link and the routes")),
    (
        r"stdio forwarding failed|Connection closed by UNKNOWN port 65535|kex_exchange_identification",
        N_("the connection was closed before the login; a jump host on the way, or sshd itself, is out of order"),
    ),
    (
        r"Broken pipe|Connection reset|Connection closed|Timeout, server .* not responding|Shared connection .* closed",
        N_("it went away in the middle: look whether the machine or its link is down"),
    ),
)
_AWAY = N_("it went away in the middle: look whether the machine or its link is down")
_ODD = N_("ssh failed: {words}")

# Ansible names the layers that a failure came through; people need the innermost.
_LAYERS = re.compile(r"^(?:(?:Task|Module|Action|Conditional) failed(?: for host \S+)?: )+")
_SUDO = re.compile(r"sudo: a (?:terminal|password) is required|is not in the sudoers file|Missing sudo password")
_FULL = re.compile(r"No space left on device")
_LONGEST = 300  # characters of somebody else's words


def unreachable_reason(device: str, words: str, *, seconds: float, was_there: bool) -> str:
    """Return why ssh did not reach `device`; `was_there` when it had answered earlier in the run."""
    for pattern, sentence in _UNREACHABLE:
        if match := re.search(pattern, words):
            away = was_there and "{seconds}" in sentence
            return _(_AWAY if away else sentence).format(device=device, seconds=f"{seconds:g}", **match.groupdict())
    return _(_ODD).format(words=_last_line(words))


def failure_reason(task: str, result: Mapping[str, Any]) -> str:
    """Return which task failed and why, from the last words of its program or the module's message."""
    said = " ".join(str(result.get(key) or "") for key in ("msg", "module_stderr", "stderr", "stdout"))
    if _SUDO.search(said):
        return _("the account may not become root without a password: allow it in sudoers")
    if _FULL.search(said):
        return _("{task}: the disk is full: make room, then run the job again").format(task=task)
    words = _last_line(str(result.get("stderr") or "")) if "rc" in result else ""
    message = _LAYERS.sub("", str(result.get("msg") or "")).strip()
    return f"{task}: {words or _last_line(str(result.get('module_stderr') or '')) or _first_line(message)}"


def _last_line(words: str) -> str:
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return lines[-1][:_LONGEST] if lines else ""


def _first_line(words: str) -> str:
    return words.splitlines()[0][:_LONGEST] if words else ""
