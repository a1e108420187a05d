"""Facts of devices: asked by the job `facts`, taken as values of the inventory."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError

from inventory.facts import Facts
from inventory.language import _
from playbooks.batch import Batch
from playbooks.drivers.pyinfra import carry_out
from playbooks.event import Note

JOB = "facts"


def gather(batch: Batch) -> Mapping[str, Facts]:
    """Ask every device of a batch of the job `facts`, and return what they told, by id; the events say who did not."""
    gathered: dict[str, Facts] = {}

    def take(device: str, told: Mapping[str, Any]) -> None:
        try:
            gathered[device] = Facts(gathered=date.today(), **told)
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"]
            batch.tell(Note(device, _("what it told of itself cannot be understood: {reason}").format(reason=reason)))

    carry_out(batch, take)
    return gathered
