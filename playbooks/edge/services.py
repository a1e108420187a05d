"""systemd units that run and start at boot."""

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import operation
from pyinfra.context import host

from playbooks.drivers.pyinfra_commands import Commands

_RUNNING = frozenset({"active", "activating", "reloading"})  # it is, or systemd is at it


class UnitState(FactBase[tuple[str, str]]):
    """What systemctl says: ("active", "enabled")."""

    def command(self, unit: str) -> str:
        """Return what asks for it."""
        return f"systemctl is-active {unit}; systemctl is-enabled {unit} 2>/dev/null; true"

    def process(self, output: list[str]) -> tuple[str, str]:
        """Return what was answered."""
        active, enabled = (*output, "", "")[:2]
        return active, enabled

    @staticmethod
    def default() -> tuple[str, str]:
        """Return what no answer means."""
        return "", ""


@operation()
def running(unit: str) -> Commands:
    """Let `unit` run now and after every boot."""
    active, enabled = host.get_fact(UnitState, unit=unit)
    if enabled != "enabled":
        # enabling reloads systemd, which may then take a unit that has an alias, such as rsyslog, for stopped
        yield StringCommand("systemctl", "-q", "enable", "--now", unit)
    elif active not in _RUNNING:
        yield StringCommand("systemctl", "start", unit)
