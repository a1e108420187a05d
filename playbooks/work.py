"""One run at work: hands steps to the job's driver and gathers, device by device, what it tells."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inventory.language import _
from playbooks.batch import Batch
from playbooks.drivers import driver
from playbooks.event import Done, Event, Outcome
from playbooks.job import Job, Step
from playbooks.mask import Mask
from playbooks.target import Target

Events = dict[str, list[Event]]  # by device


@dataclass(frozen=True)
class Work:
    """What all steps of a run share. `listen` hears every event as it happens, from any thread."""

    job: Job
    folder: Path  # of the run
    mask: Mask
    listen: Callable[[Event], None]
    locks: tuple[int, ...] = ()
    parallel: int = 20
    stop: threading.Event = field(default_factory=threading.Event)

    def perform(self, step: Step, targets: Sequence[Target], do: Callable[[Batch], None] | None = None) -> Events:
        """Do one step on some devices; the last event of each is its Done. Raises PlaybookError.

        `do` is what the job's driver does, unless it is something else that drivers can.
        """
        heard: Events = {target.id: [] for target in targets}
        turn = threading.Lock()

        def tell(event: Event) -> None:
            with turn:
                heard[event.device].append(event)
            self.listen(event)

        if targets:
            batch = Batch(
                job=self.job,
                step=step,
                targets=tuple(targets),
                folder=self.folder,
                tell=tell,
                mask=self.mask,
                stop=self.stop,
                locks=self.locks,
                parallel=self.parallel,
            )
            (do or driver(self.job.shape.driver).perform)(batch)
        for device, events in heard.items():
            if not any(isinstance(event, Done) for event in events):
                tell(Done(device, Outcome.FAILED, _("the driver ended without a word about it")))
        return heard


def done_of(events: Sequence[Event]) -> Done:
    """Return how a step ended on a device."""
    return next(event for event in reversed(events) if isinstance(event, Done))
