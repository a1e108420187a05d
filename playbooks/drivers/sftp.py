"""Bring a file to devices by SFTP: resumed where it was cut, within a rate, and in its place only when it is whole.

The file grows beside its place, under a name with its digest; what is there is compared block by block before going
on. When the way breaks we come back, until the job's time is over; what has arrived stays for the next run.
"""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from inventory.language import _
from playbooks.batch import Batch
from playbooks.connection import Connection, connect
from playbooks.drivers import sftp_place
from playbooks.drivers.sftp_place import Place, PlaceError
from playbooks.drivers.sftp_upload import Tally, send
from playbooks.errors import PlaybookError, ReachError
from playbooks.event import Change, Doing, Done, Event, Note, Outcome
from playbooks.job import Step
from playbooks.pace import Pace
from playbooks.parcel import Parcel, parcel_for
from playbooks.refusal import RefusedError
from playbooks.target import Target

_FIRST_TRIES = 2  # attempts to reach a device that has not answered in this step yet
_PAUSES = (1.0, 2.0, 5.0, 10.0)  # seconds before coming back, the last for ever
_TELL_EVERY = 1.0  # seconds


def perform(batch: Batch) -> None:
    """Carry out one step for every target, some at a time."""
    end = time.monotonic() + batch.job.shape.timeout
    sharing = Counter(target.device.office for target in batch.targets)
    with ThreadPoolExecutor(max(1, min(batch.parallel, len(batch.targets)))) as pool:
        deliveries = [_Delivery(batch, target, end) for target in batch.targets]
        list(pool.map(lambda delivery: _one(delivery, sharing[delivery.target.device.office]), deliveries))


def _one(delivery: "_Delivery", sharing: int) -> None:
    if delivery.batch.step is Step.ROLLBACK:
        reason = _("the earlier file is not kept; push it in its turn")
        delivery.done(Outcome.NOT_APPLICABLE, reason)
        return
    try:
        delivery.run(parcel_for(delivery.target, sharing))
    except ReachError as error:
        delivery.done(Outcome.UNREACHABLE, str(error))
    except PlaybookError as error:
        delivery.done(Outcome.FAILED, str(error))
    else:
        delivery.done(Outcome.DONE)


class _InterruptedError(PlaybookError):
    """Somebody wants us to stop."""


@dataclass
class _Delivery:
    """One step of one device: what it says and how it goes on."""

    batch: Batch
    target: Target
    end: float  # time.monotonic()
    tally: Tally = field(default_factory=Tally)
    _told: float = 0.0
    _change: Change | None = None  # as the first attempt found it: a later one may find the file in its place

    def run(self, parcel: Parcel) -> None:
        """Check, bring, or verify. Raises PlaybookError."""
        if self.batch.step is Step.APPLY:
            self._bring(parcel)
            return
        with self._connect() as connection:
            place = sftp_place.look(connection, parcel)
        if self.batch.step is Step.CHECK:
            self._foresee(parcel, place)
        elif place.digest != parcel.digest or not place.dressed(parcel):
            raise PlaceError(_("{path} is not the file that was sent").format(path=parcel.path))

    def done(self, outcome: Outcome, reason: str = "") -> None:
        """Tell that the step has ended here."""
        self._tell(Done(self.target.id, outcome, self.batch.mask(reason)))

    def _foresee(self, parcel: Parcel, place: Place) -> None:
        if change := _change(self.target.id, parcel, place):
            self._tell(change)
        if place.digest != parcel.digest and place.arrived:
            self._note(_("{path}: goes on at byte {arrived}").format(path=parcel.path, arrived=place.arrived))

    def _bring(self, parcel: Parcel) -> None:
        """Come and come back until the file is in its place. Raises PlaybookError."""
        begun, lost = time.monotonic(), 0
        pace = Pace(parcel.rate)
        while True:
            before = self.tally.payload
            try:
                with self._connect() as connection:
                    self.tally.sessions += 1
                    self._attempt(connection, parcel, pace)
            except RefusedError:
                raise
            except ReachError as error:
                lost = 1 if self.tally.payload > before else lost + 1  # what was sent shows that the way was there
                self._wait(error, lost)
            else:
                break
        if self._change:
            self._tell(self._change)
            self._account(parcel, time.monotonic() - begun)

    def _attempt(self, connection: Connection, parcel: Parcel, pace: Pace) -> None:
        place = sftp_place.look(connection, parcel)
        self._change = self._change or _change(self.target.id, parcel, place)
        if place.digest == parcel.digest:
            sftp_place.dress(connection, parcel)
            return
        start = sftp_place.open_part(connection, parcel)
        send(
            connection,
            parcel,
            start,
            pace=pace,
            stop=self.batch.stop,
            tally=self.tally,
            arrived=lambda count: self._progress(parcel, count),
        )
        self._check_time(parcel)
        sftp_place.finish(connection, parcel)

    def _connect(self) -> Connection:
        if self.batch.stop.is_set():
            raise _InterruptedError(_("interrupted"))
        self._tell(Doing(self.target.id, _("connecting")))
        return connect(self.target.login, self.target.jumps, self.target.known_hosts)

    def _wait(self, error: ReachError, lost: int) -> None:
        """Wait before coming back; raises `error` when there is no sense in it any more."""
        pause = _PAUSES[min(lost, len(_PAUSES)) - 1]
        if time.monotonic() + pause > self.end or (not self.tally.sessions and lost >= _FIRST_TRIES):
            raise error
        self._log(str(error))
        self._tell(Doing(self.target.id, _("waiting for the way back: {reason}").format(reason=error)))
        if self.batch.stop.wait(pause):
            raise _InterruptedError(_("interrupted"))

    def _progress(self, parcel: Parcel, count: int) -> None:
        now = time.monotonic()
        if now > self.end:
            self._check_time(parcel)
        if now - self._told > _TELL_EVERY:
            self._told = now
            percent = 100 * count // max(parcel.size, 1)
            told = _("{percent} % of {size} bytes").format(percent=percent, size=parcel.size)
            self._tell(Doing(self.target.id, told))

    def _check_time(self, parcel: Parcel) -> None:
        if self.batch.stop.is_set():
            raise _InterruptedError(_("interrupted"))
        if time.monotonic() > self.end:
            raise PlaceError(_("not there within {seconds:g} s; the next run goes on").format(seconds=self._timeout))
        if not parcel.unchanged():
            raise PlaceError(_("{file} was changed while it was sent").format(file=parcel.sent_as))

    @property
    def _timeout(self) -> float:
        return self.batch.job.shape.timeout

    def _account(self, parcel: Parcel, seconds: float) -> None:
        tally, traffic = self.tally, self.tally.traffic
        told = _(
            "{payload} bytes of payload sent for a file of {size}, in {sessions} sessions and {seconds:.1f} s; "
            "TCP sent {wire} bytes with headers, {again} of them again"
        )
        self._note(
            told.format(
                payload=tally.payload,
                size=parcel.size,
                sessions=tally.sessions,
                seconds=seconds,
                wire=traffic.wire,
                again=traffic.again,
            )
        )

    def _note(self, text: str) -> None:
        self._tell(Note(self.target.id, self.batch.mask(text)))

    def _tell(self, event: Event) -> None:
        if not isinstance(event, Doing):
            self._log(" ".join(map(str, event[1:])))
        self.batch.tell(event)

    def _log(self, text: str) -> None:
        with self.batch.log(self.target.id).open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {self.batch.mask(text)}\n")


def _change(device: str, parcel: Parcel, place: Place) -> Change | None:
    """Return what differs from the target; the same words before and after."""
    if place.digest != parcel.digest:
        before = _("sha256 {digest}, {size} bytes").format(digest=place.digest, size=place.size) if place.digest else ""
        after = _("sha256 {digest}, {size} bytes").format(digest=parcel.digest, size=parcel.size)
        diff = "".join(f"{sign}{parcel.path} {text}\n" for sign, text in (("-", before), ("+", after)) if text)
        return Change(device, _("put {file} at {path}").format(file=parcel.sent_as, path=parcel.path), diff)
    if not place.dressed(parcel):
        diff = f"-{place.mode.zfill(4)} {place.owner}\n+{parcel.mode} {parcel.owner}\n"
        return Change(device, _("mode and owner of {path}").format(path=parcel.path), diff)
    return None
