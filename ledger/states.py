"""The states of a task (one device in one run), which may follow which, and how a run ends."""

from collections.abc import Mapping
from enum import StrEnum

from ledger.errors import N_, IllegalMoveError


class State(StrEnum):
    """Where a task stands."""

    INTENDED = "intended"
    APPLYING = "applying"
    VERIFYING = "verifying"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    REVERTED = "reverted"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"
    NOT_APPLICABLE = "not-applicable"


class Outcome(StrEnum):
    """How a run ended: every device at target; at least one not; the controller went away."""

    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


_S = State
OPEN = frozenset({_S.INTENDED, _S.APPLYING, _S.VERIFYING})
_LATER = frozenset({_S.CHANGED, _S.UNCHANGED, _S.REVERTED, _S.FAILED})
# A task may move to its own open state, to note that a revert is armed or how far it came. What became of a device that
# was lost on the way may be learned later, also after its run has ended; every other end is final.
MOVES: Mapping[State, frozenset[State]] = {
    _S.INTENDED: frozenset(State) - {_S.VERIFYING, _S.CHANGED, _S.REVERTED},
    _S.APPLYING: frozenset(State) - {_S.INTENDED, _S.REFUSED, _S.NOT_APPLICABLE},
    _S.VERIFYING: frozenset(State) - {_S.INTENDED, _S.APPLYING, _S.REFUSED, _S.NOT_APPLICABLE},
    _S.UNREACHABLE: _LATER,
    _S.INTERRUPTED: _LATER | {_S.UNREACHABLE},
    _S.CHANGED: frozenset(),
    _S.UNCHANGED: frozenset(),
    _S.FAILED: frozenset(),
    _S.REVERTED: frozenset(),
    _S.REFUSED: frozenset(),
    _S.NOT_APPLICABLE: frozenset(),
}
SETTLED = frozenset({_S.CHANGED, _S.UNCHANGED, _S.REVERTED})  # no armed revert is left on the device


def check_move(device: str, before: State, after: State) -> None:
    """Raise IllegalMoveError when a task of `device` cannot go from `before` to `after`."""
    if after not in MOVES[before]:
        raise IllegalMoveError(
            N_("{device}: a task that is '{before}' cannot become '{after}'"),
            device=device,
            before=before,
            after=after,
        )
