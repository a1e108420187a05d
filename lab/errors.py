"""What this room raises.

LabError
├── MachineError       the machine lacks something; the message names the command that root would run
├── RunningError       a lab is already up, or coming up, in this state folder
├── AbsentError        no lab is up in this state folder
├── UnknownPartError   no office, link or device of that name
├── NotRealError       a device that cannot be, or is not, a real machine
├── StartError         the lab did not come up; the message holds the reason from its log
└── RepositoryError    the package archive could not be made; see `lab.packages.command`
"""


class LabError(Exception):
    """The root of what this room raises; the message is for the user, in the chosen language."""


class MachineError(LabError):
    """The machine lacks something that the lab needs."""


class RunningError(LabError):
    """A lab is already up, or coming up, in this state folder."""


class AbsentError(LabError):
    """No lab is up in this state folder."""


class UnknownPartError(LabError):
    """No office, link or device of that name."""


class NotRealError(LabError):
    """A device that no kind of machine can play, or that is played by responders only."""


class StartError(LabError):
    """The lab did not come up, or went away while it was asked."""
