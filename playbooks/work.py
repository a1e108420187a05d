"""One run at work: hands steps to the job's driver and gathers, device by device, what it tells."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from inventory.language import _
from playbooks.batch import Batch, Kept
from playbooks.drivers import driver
from playbooks.errors import OwnFaultError
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
    kept: Kept = field(default_factory=Kept)  # whoever makes it closes it, before the locks are let go

    def log_of(self, device: str) -> str:
        """Return where the log of a device is, from the province's folder of state."""
        return str(Path(self.folder.parent.name, self.folder.name, f"{device}.log"))

    def perform(
        self,
        step: Step,
        targets: Sequence[Target],
        do: Callable[[Batch], None] | None = None,
        within: float | None = None,
    ) -> Events:
        """Do one step on some devices; the last event of each is its Done. Raises PlaybookError.

        `do` is what the job's driver does, unless it is something else that drivers can. `within` are seconds, where
        there are fewer than the job's own timeout gives.
        """
        heard: Events = {target.id: [] for target in targets}
        turn = threading.Lock()

        def tell(event: Event) -> None:
            with turn:
                heard[event.device].append(event)
            self.listen(event)

        if targets:
            batch = Batch(
                job=self.job if within is None else _hurried(self.job, within),
                step=step,
                targets=tuple(targets),
                folder=self.folder,
                tell=tell,
                mask=self.mask,
                stop=self.stop,
                locks=self.locks,
                parallel=self.parallel,
                kept=self.kept,
            )
            with own_faults():
                (do or driver(self.job.shape.driver).perform)(batch)
        for device, events in heard.items():
            if not any(isinstance(event, Done) for event in events):
                tell(Done(device, Outcome.FAILED, _("the driver ended without a word about it")))
        return heard


def done_of(events: Sequence[Event]) -> Done:
    """Return how a step ended on a device."""
    return next(event for event in reversed(events) if isinstance(event, Done))


@contextmanager
def own_faults() -> Iterator[None]:
    """Tell what the controller itself cannot do: a full disk, a folder that is not ours. Raises OwnFaultError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        file = f" ({error.filename})" if error.filename else ""
        message = _("this machine, not a device, fails: {reason}{file}")
        raise OwnFaultError(message.format(reason=reason, file=file)) from error


def _hurried(job: Job, seconds: float) -> Job:
    """Return the job with less time for a step."""
    return replace(job, shape=job.shape.model_copy(update={"timeout": min(job.shape.timeout, seconds)}))
