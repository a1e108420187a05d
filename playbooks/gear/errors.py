"""What goes wrong with gear that answers.

PlaybookError
└── GearError
    ├── TruncatedError      the running configuration is not provably whole
    ├── RejectedError       the device did not take a line
    ├── TemplateError       a job's template cannot be filled in
    └── MissingError        nothing was kept that we could go back to
"""

from playbooks.errors import PlaybookError


class GearError(PlaybookError):
    """The root of what goes wrong with gear that answers; the message is for the user."""


class TruncatedError(GearError):
    """The running configuration is not provably whole."""


class RejectedError(GearError):
    """The device did not take a line, or a file; the message names it."""


class TemplateError(GearError):
    """A job's template cannot be filled in; the message names file and line."""


class MissingError(GearError):
    """Nothing was kept that we could go back to."""
