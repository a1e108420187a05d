"""What this room raises.

PlaybookError
├── UnknownJobError       no job of that name
├── InvalidJobError       a job's files are wrong; `findings` holds every reason
├── VariableError         a variable has no value, a wrong one, or a name that no job knows
├── AccessError           we cannot even try: no key, no password, no pinned host key
├── PlanError             a plan does not fit what is now, or cannot be written
│   └── UnreadablePlanError   a plan file cannot be read, or was changed
├── ReachError            a device does not answer, or does not let us in; the reason is for the user
├── RevertError           a revert could not be armed, asked or disarmed
└── OwnFaultError         the controller itself, not a device, cannot go on: a full disk, a folder that is not ours
"""

from collections.abc import Iterable

from inventory.finding import Finding


class PlaybookError(Exception):
    """The root of what this room raises; the message is for the user, in the chosen language."""


class UnknownJobError(PlaybookError):
    """No job of that name."""


class InvalidJobError(PlaybookError):
    """A job's files are wrong; `findings` holds every reason."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))


class VariableError(PlaybookError):
    """A variable has no value, a wrong one, or a name that no job knows."""


class AccessError(PlaybookError):
    """We cannot even try: no key, no password, no pinned host key."""


class PlanError(PlaybookError):
    """A plan does not fit what is now, or cannot be written."""


class UnreadablePlanError(PlanError):
    """A plan file cannot be read, or was changed since it was written."""


class ReachError(PlaybookError):
    """A device does not answer, or does not let us in; the message is the reason."""


class RevertError(PlaybookError):
    """A revert could not be armed, asked or disarmed."""


class OwnFaultError(PlaybookError):
    """The controller itself, not a device, cannot go on: a full disk, a folder that is not ours."""
