"""What the steps of pyinfra jobs may use beside pyinfra: notes, clear endings, and what only applying can tell.

A step is a file with `deploy(values)`, called once for each device; `values` are the job's variables by name, and
under "tuyen" what the inventory knows of the device. It calls pyinfra's operations, each with a `name` of its own.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyinfra.api.operation import OperationMeta
from pyinfra.context import host

from playbooks.drivers.pyinfra_voice import BEHIND, VOICE, Voice


class NotApplicableError(Exception):
    """The machine lacks what the job is about; the message says what."""


class NotAtTargetError(Exception):
    """What a step looked at is not as it must be; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The condition that one of some operations has changed something."""

    operations: tuple[OperationMeta, ...]

    def __call__(self) -> bool:
        """Whether it holds."""
        return any(operation.did_change() for operation in self.operations)


def note(text: str) -> None:
    """Tell something that a person should know of this device, and that is no change."""
    _voice().note(text)


def report(facts: Mapping[str, Any]) -> None:
    """Hand over facts of this device, values that JSON can hold; see `playbooks.facts`."""
    _voice().facts(facts)


def changed(*operations: OperationMeta) -> Changed:
    """Return the condition, for `_if`, that one of `operations` has changed something."""
    return Changed(operations)


@contextmanager
def behind(cause: OperationMeta) -> Iterator[None]:
    """Let the operations within be decided at apply where `cause` is still to change something.

    For what cannot be asked before: the state of a service whose package is not installed yet.
    """
    first = len(host.op_hash_order)
    yield
    known = host.connector_data.setdefault(BEHIND, {})
    known.update(dict.fromkeys(host.op_hash_order[first:], cause))


def _voice() -> Voice:
    voice: Voice = host.connector_data[VOICE]
    return voice
