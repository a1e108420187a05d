"""What people are told of a rollout, each thing once: that it stopped, waits for them, or has ended."""

from collections.abc import Callable, Iterable

from inventory.language import N_, _
from ledger.errors import LedgerError
from playbooks.rollout.decide import Waiting
from playbooks.rollout.journal import Journal, Step
from playbooks.rollout.seams import Notice, Notify
from playbooks.rollout.state import State, Status
from playbooks.rollout.words import counted


class Notices:
    """Tells `notify` what the journal's events mean for people; what happened before it was made is known already."""

    def __init__(self, journal: Journal, notify: Notify) -> None:
        self._journal, self._notify = journal, notify
        self._is_history = True
        self._asked: set[int] = set()  # waves whose approval was asked for
        self._troubled = False

    def hear(self, steps: Iterable[Step]) -> None:
        """Tell what these events mean."""
        for step in () if self._is_history else steps:
            if step.after.status is not step.before.status:
                self._turned(step.before.status, step.after)
        self._is_history = False

    def _turned(self, before: Status, after: State) -> None:
        match after.status:
            case Status.PAUSED:
                self._tell("paused", lambda: _paused(after))
            case Status.FAILED:
                self._tell("failed", lambda: _("failed: {reason}").format(reason=after.reason))
            case Status.ENDED if before is Status.ROLLING_BACK:
                self._tell("rolled-back", lambda: _("rolled back: {counts}").format(counts=_counts(after)))
            case Status.ENDED:
                self._tell("ended", lambda: _("ended: {counts}").format(counts=_counts(after)))

    def tell_waiting(self, waiting_for: Waiting) -> None:
        """Ask for approval when the next wave waits for it."""
        number = self._journal.state.wave + 1
        if waiting_for is not Waiting.APPROVAL or number in self._asked:
            return
        self._asked.add(number)
        wave = self._journal.plan.waves[number]
        agreed = set(self._journal.state.approved.get(number, ())) - {"", self._journal.plan.author}
        missing = wave.approvals - len(agreed)
        text = N_("wave '{wave}' waits for approval; people that must still agree: {missing}")
        self._tell("approval", lambda: _(text).format(wave=wave.name, missing=missing))

    def tell_trouble(self, error: LedgerError) -> None:
        """Tell that the ledger can not be used, once until it can again."""
        if not self._troubled:
            self._tell("trouble", lambda: _held_up(error))
        self._troubled = True

    def trouble_is_over(self) -> None:
        """The ledger can be used."""
        self._troubled = False

    def _tell(self, kind: str, say: Callable[[], str]) -> None:
        self._notify(Notice(kind, self._journal.plan.name, say))


def _paused(state: State) -> str:
    return _("paused: {reason}").format(reason=state.reason or _("a person wanted it"))


def _held_up(error: LedgerError) -> str:
    reason = _(error.message).format_map(error.values)
    return _("nothing new is begun until the ledger can be written: {reason}").format(reason=reason)


def _counts(state: State) -> str:
    return counted(device.state for device in state.devices.values())
