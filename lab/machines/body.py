"""One real machine: its disk, its line and its processes, with its power switch."""

import subprocess
from enum import StrEnum

from lab.machines.disk import Disk
from lab.machines.line import Line
from lab.machines.process import REBOOT, System, kill, start


class State(StrEnum):
    """How a machine is."""

    OFF = "off"
    STARTING = "starting"
    UP = "up"  # its sshd has greeted since it started
    FAILED = "failed"  # it ended by itself, and not because it was told to


class Body:
    """A real machine. Act from the province's thread; all raise OSError, CommandError."""

    def __init__(self, system: System, disk: Disk, line: Line) -> None:
        self.disk, self.line, self.state = disk, line, State.OFF
        self.system, self.reboots = system, False
        self._process: subprocess.Popen[bytes] | None = None

    def power_on(self) -> None:
        """Start it, unless it runs."""
        if self._process is None:
            self.line.remove()
            self._process = start(self.system, self.line.lay())
            self.state = State.STARTING

    def power_off(self) -> None:
        """Cut its power: what it has written stays, what it had in memory is gone."""
        if self._process:
            kill(self.system, self._process)
            self._process = None
        self.line.remove()
        self.state = State.OFF

    def failed(self, reason: str) -> None:
        """Note why it does not run."""
        with self.system.log.open("a") as log:
            log.write(f"{reason}\n")
        self.state = State.FAILED

    def last_words(self) -> str:
        """Return the last line that it wrote on its console."""
        lines = self.system.log.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def greeted(self) -> None:
        """Note that its sshd answers."""
        if self.state is State.STARTING:
            self.state = State.UP

    def buried(self, pid: int) -> bool:
        """Take note of the dead child `pid` if it is this machine; `reboots` tells whether it wants to start again."""
        if self._process is None or self._process.pid != pid:
            return False
        code = self._process.poll()
        self._process = None
        self.reboots = code == REBOOT
        self.line.remove()
        self.state = State.FAILED if code and not self.reboots else State.OFF
        return True
