"""What this room raises.

LedgerError
├── LedgerLockedError   somebody else writes, and did not end within our patience
├── LedgerDamagedError  the file is no ledger, or its pages are broken
├── LedgerNewerError    a newer tuyen has written it
├── LedgerFullError     nothing can be written: the disk is full, or may only be read
├── LedgerAbsentError   the database does not answer, or its kind is not supported
├── BadBackupError      a backup is not whole, is of something else, or cannot be made or brought back here
├── StateInUseError     somebody still works with the state that a backup is to replace
├── DeviceBusyError     another process, or what a dead one left behind, acts on the device
├── UnknownRunError     no run of that id
├── UnknownRolloutError no rollout of that id or name
├── UnknownOutageError  no outage, or no planned work, of that id
├── UnknownAccountError nobody of that name has an account, or no token has that id
├── AccountExistsError  that person has an account already
├── IllegalMoveError    a task cannot go from its state to that one, or what has ended is to go on
├── OutdatedError       something happened to the rollout meanwhile
├── LeaseHeldError      another controller holds the lease
└── LeaseLostError      the lease was ours, and is not any more

This room translates nothing: `message` is the English template, marked for the catalogue, and `values` fill it.
"""

from collections.abc import Mapping


def N_(message: str) -> str:  # noqa: N802  (gettext's own name for "mark, do not translate yet")
    """Mark `message` for the catalogue; who shows it translates it."""
    return message


def _shown(value: object) -> str:
    """Return a value as text that is safe on a terminal, control characters written as escapes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(value))


class LedgerError(Exception):
    """The root of what this room raises; its text is English, `message` and `values` are for who translates."""

    def __init__(self, message: str, **values: object) -> None:
        self.message = message
        self.values: Mapping[str, str] = {name: _shown(value) for name, value in values.items()}
        super().__init__(message.format_map(self.values))


class LedgerLockedError(LedgerError):
    """Somebody else writes, and did not end within our patience."""


class LedgerDamagedError(LedgerError):
    """The file is no ledger, or its pages are broken."""


class LedgerNewerError(LedgerError):
    """A newer tuyen has written the ledger; this one would not understand it."""


class LedgerFullError(LedgerError):
    """Nothing can be written: the disk is full or broken, or may only be read."""


class LedgerAbsentError(LedgerError):
    """The database does not answer, refuses us, or is of a kind that is not supported."""


class BadBackupError(LedgerError):
    """A backup is not whole, is of something else, or cannot be made or brought back here."""


class StateInUseError(LedgerError):
    """Somebody still works with the state that a backup is to replace."""


class DeviceBusyError(LedgerError):
    """Another process, or what a dead one left behind, acts on `device`; `holder` says who, since when, doing what."""

    def __init__(self, device: str, holder: str, message: str, **values: object) -> None:
        self.device = device
        self.holder = holder
        super().__init__(message, device=device, **values)


class UnknownRunError(LedgerError):
    """No run of that id is in the ledger."""


class UnknownRolloutError(LedgerError):
    """No rollout of that id or name is in the ledger."""


class UnknownOutageError(LedgerError):
    """No outage, or no planned work, of that id is in the ledger."""


class UnknownAccountError(LedgerError):
    """Nobody of that name has an account, or no token that is in force has that id."""


class AccountExistsError(LedgerError):
    """That person has an account already."""


class IllegalMoveError(LedgerError):
    """A task cannot go from its state to that one, a run cannot end yet, or what has ended cannot go on."""


class OutdatedError(LedgerError):
    """Something happened to the rollout since the events that were decided upon: read them, and decide again."""


class LeaseHeldError(LedgerError):
    """Another controller holds the lease; `values` say who (person, host, process), since when and until when."""


class LeaseLostError(LedgerError):
    """The lease was ours, and is not any more: another controller may act. Stop, and write nothing."""
