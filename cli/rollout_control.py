"""What people do to a rollout that is under way: pause, resume, abort, roll back, approve."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.actor import actor, check_may_act
from cli.output import complain, print_json, say
from cli.rollout_course import local
from cli.rollout_state import Seen, see
from cli.rollout_view import Board
from cli.settings import Format, Settings
from exporters.page.words import ROLLOUT_WORDS
from inventory.language import _
from inventory.model import Province
from ledger.connection import Ledger
from ledger.errors import OutdatedError
from ledger.records import Actor, Draft, now, stamp
from ledger.rollouts import append
from playbooks.errors import AccessError, PlaybookError
from playbooks.rollout.approval import check_approver, is_signed_by, sign, signed_text
from playbooks.rollout.decide import put_back
from playbooks.rollout.plan import OnFailure
from playbooks.rollout.state import Event, Kind, State, Status, evolve

_TRIES = 10  # when a controller writes in the same moment
Make = Callable[[Seen], Sequence[Draft]]


@dataclass(frozen=True)
class Control:
    """A rollout in the hands of a person who may act on all of its devices."""

    folder: Path
    province: Province
    ledger: Ledger
    who: Actor
    key: str

    def seen(self) -> Seen:
        """Return the rollout as it is now. Raises UnknownRolloutError, LedgerError."""
        return see(self.ledger, self.province, self.key)

    def pause(self, why: str) -> Seen:
        """Let nothing new be begun."""
        return self.write(lambda seen: self._turn(seen, Kind.PAUSED, {"why": why}))

    def resume(self) -> Seen:
        """Go on after a pause or a failed gate; one that goes on already stays as it is."""
        going_on = (Status.RUNNING, Status.ROLLING_BACK, Status.ABORTED)
        return self.write(lambda seen: () if seen.state.status in going_on else self._turn(seen, Kind.RESUMED, {}))

    def abort(self, why: str) -> Seen:
        """Let nothing new be begun any more; over at once when nobody drives it and nothing is at work."""

        def make(seen: Seen) -> Sequence[Draft]:
            drafts = list(self._turn(seen, Kind.ABORTED, {"why": why}))
            return drafts if seen.driver or seen.at_work else [*drafts, Draft(Kind.ENDED)]

        return self.write(make)

    def roll_back(self, scope: OnFailure, why: str) -> Seen:
        """Put back what was done. Raises PlaybookError when there is nothing."""

        def make(seen: Seen) -> Sequence[Draft]:
            devices = to_put_back(seen, scope)
            return self._turn(seen, Kind.ROLLBACK, {"devices": list(devices), "why": why})

        return self.write(make)

    def write(self, make: Make) -> Seen:
        """Write down what `make` says of the rollout as it is, and return how it is then. Raises PlaybookError."""
        for _try in range(_TRIES):
            seen = self.seen()
            drafts = make(seen)
            if not drafts:
                return seen
            kinds = {draft.kind for draft in drafts}
            marks = {"ends": Kind.ENDED in kinds, "reopens": Kind.ROLLBACK in kinds}
            try:
                append(self.ledger, seen.record.id, drafts, actor=self.who, after=seen.state.seq, **marks)
            except OutdatedError:
                continue
            return self.seen()
        raise PlaybookError(_("the rollout moves too fast; try again"))

    @staticmethod
    def _turn(seen: Seen, kind: Kind, details: Mapping[str, Any]) -> Sequence[Draft]:
        """Return the event, if the rollout is such that it makes a difference. Raises PlaybookError."""
        state = seen.state
        if not _matters(state, kind, details):
            message = _("the rollout is {status}, so this changes nothing")
            raise PlaybookError(message.format(status=_(ROLLOUT_WORDS[state.status])))
        return [Draft(kind, details=details)]


def to_put_back(seen: Seen, scope: OnFailure) -> tuple[str, ...]:
    """Return the devices that a rollback would put back. Raises PlaybookError when there is none."""
    devices = put_back(seen.plan, seen.state, scope)
    if not devices:
        raise PlaybookError(_("there is nothing to roll back: no device was changed"))
    return devices


def _matters(state: State, kind: Kind, details: Mapping[str, Any]) -> bool:
    event = Event(state.seq, stamp(now()), kind, details=details)
    return evolve(state, event) != state


def control(
    options: Settings, ledger: Ledger, province: Province, key: str, person: str, *, whole: bool = True
) -> Control:
    """Return a rollout to be controlled. Raises AccessError unless the person may act on all of its devices.

    Of a province that is not `whole`, devices may be missing: then it takes somebody who may act on all there are.
    """
    who = actor(province, person)
    seen = see(ledger, province, key)
    declared = [province.devices[one] for one in seen.plan.devices if one in province.devices]
    check_may_act(province, who, declared if whole else province.devices.values())
    return Control(options.folder(), province, ledger, who, seen.record.id)


def approve(
    options: Settings, key: str, person: str, wave: int | None, private: Path | None, form: Format = Format.TABLE
) -> Seen:
    """Sign and write down an approval; `wave` counts from 1. Raises AccessError, PlaybookError, LedgerError."""
    province = options.load()
    who = actor(province, person)
    with options.ledger(province) as ledger:
        seen = see(ledger, province, key)
        number = _next_wave(seen) if wave is None else _checked_wave(seen, wave - 1)
        approver = check_approver(province, seen.plan, number, who.person)
        if who.person in seen.state.approved.get(number, ()):
            raise PlaybookError(_("'{account}' has approved this wave already").format(account=who.person))
        text = signed_text(seen.record.id, seen.plan.digest, number)
        signature = sign(text, private, approver)
        if not is_signed_by(approver, text, signature):
            message = _("that key is none of those that people.yaml gives '{account}'")
            raise AccessError(message.format(account=who.person))
        approved = Draft(Kind.APPROVED, wave=number, details={"person": who.person, "signature": signature})
        append(ledger, seen.record.id, [approved], actor=who)
        after = see(ledger, province, seen.record.id)
        answer(Control(options.folder(), province, ledger, who, seen.record.id), after, form, _approved(after, number))
    return after


def _next_wave(seen: Seen) -> int:
    """Return the first wave, not begun yet, that lacks approvals. Raises PlaybookError when there is none."""
    for number, wave in enumerate(seen.plan.waves):
        if number > seen.state.wave and len(set(seen.state.approved.get(number, ()))) < wave.approvals:
            return number
    raise PlaybookError(_("no wave waits for approval"))


def _checked_wave(seen: Seen, number: int) -> int:
    if not 0 <= number < len(seen.plan.waves):
        message = _("there is no wave {number}; it has {count}")
        raise PlaybookError(message.format(number=number + 1, count=len(seen.plan.waves)))
    if not seen.plan.waves[number].approvals or number <= seen.state.wave:
        raise PlaybookError(_("wave {number} needs no approval (any more)").format(number=number + 1))
    return number


def _approved(seen: Seen, number: int) -> str:
    wave = seen.plan.waves[number]
    people = dict.fromkeys(seen.state.approved.get(number, ()))
    message = _("wave {number} ({wave}) of {rollout}: approved by {people} ({count} of {wanted})")
    values = {"people": ", ".join(people), "count": len(people), "wanted": wave.approvals}
    return message.format(number=number + 1, wave=wave.name, rollout=seen.plan.name, **values)


def answer(control: Control, seen: Seen, form: Format, text: str, **extra: object) -> None:
    """Say what was done; to programs how the rollout stands then."""
    if form is Format.JSON:
        print_state(control, seen, **extra)
    else:
        say(text)


def print_state(control: Control, seen: Seen, **extra: object) -> None:
    """Print a rollout as it stands, in the items of `tuyen rollout status --format json`."""
    print_json(Board(control.ledger, control.province, seen).items(), **extra)


def say_who_drives(control: Control, seen: Seen) -> None:
    """Tell who drives a rollout, or how it goes on when nobody does."""
    driver = seen.driver
    if driver:
        message = _("{person} drives it on {host} (process {process}) since {since}")
        since = local(driver.since, control.province.time_zone)
        complain(message.format(person=driver.person, host=driver.host, process=driver.pid, since=since))
    elif seen.record.ended_at is None:
        complain(_("nobody drives it; go on with: tuyen rollout resume {name}").format(name=seen.plan.name))
