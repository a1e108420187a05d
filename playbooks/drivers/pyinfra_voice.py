"""What the child process says: JSON objects, one a line, on a descriptor of their own.

{"say": "doing", "device": ..., "what": ...}        {"say": "change", ..., "what", "diff", "foreseen"}
{"say": "note", ..., "text"}                        {"say": "done", ..., "outcome", "reason"}
{"say": "log", ..., "text"}                         {"say": "facts", ..., "facts"}
{"say": "rest"}: the order is carried out, and the next may come
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playbooks.event import Outcome

# Where a host of pyinfra's, in its `connector_data`, keeps what is ours.
ORDER, VOICE, BEHIND = "tuyen.order", "tuyen.voice", "tuyen.behind"


class Channel:
    """The descriptor. When nobody listens any more what is said is lost, and the work on devices goes on."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._heard = True

    def say(self, message: Mapping[str, Any]) -> None:
        """Write one message, whole."""
        rest = (json.dumps(message) + "\n").encode()
        while rest and self._heard:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BrokenPipeError:
                self._heard = False


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks of one device."""

    device: str
    channel: Channel

    def doing(self, what: str) -> None:
        """Say what is being done right now."""
        self._say("doing", what=what)

    def change(self, what: str, diff: str = "", *, foreseen: bool = True) -> None:
        """Say what would change, or has changed."""
        self._say("change", what=what, diff=diff, foreseen=foreseen)

    def note(self, text: str) -> None:
        """Say something that is no change."""
        self._say("note", text=text)

    def done(self, outcome: Outcome, reason: str = "") -> None:
        """Say how the step ended."""
        self._say("done", outcome=outcome.value, reason=reason)

    def log(self, text: str) -> None:
        """Say a line for the log of the run."""
        self._say("log", text=text)

    def facts(self, facts: Mapping[str, Any]) -> None:
        """Say what was gathered."""
        self._say("facts", facts=dict(facts))

    def _say(self, word: str, **rest: Any) -> None:
        self.channel.say({"say": word, "device": self.device, **rest})
