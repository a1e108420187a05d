"""pyinfra over our own SSH connections: pinned keys, jump hosts, patience and reasons are those of every driver."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from paramiko import SSHException
from pyinfra.api.command import StringCommand
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.util import CommandOutput

from playbooks.connection import connect
from playbooks.drivers.pyinfra_commands import SilentCommand
from playbooks.drivers.pyinfra_voice import ORDER, VOICE
from playbooks.errors import ReachError
from playbooks.remote import Connection
from playbooks.target import Login

_LONGEST = 2000  # characters of one command or line in the log


class PinnedConnector(SSHConnector):
    """Connects as the rest of the room does. `trouble` is the last thing that went wrong on the way."""

    trouble: Exception | None = None
    connection: Connection | None = None
    refused: tuple[str, ...] = ()  # what the last command that failed said
    uploads: str = ""  # a private folder on the device, for files on their way to root

    def connect(self) -> None:
        """Log in. Raises ReachError."""
        order = self.host.connector_data[ORDER]
        jumps = [Login(**hop) for hop in order["jumps"]]
        self.connection = connect(Login(**order["login"]), jumps, Path(order["known_hosts"]))
        self.client = self.connection.client  # type: ignore[assignment]  # pyinfra needs a plain client's methods only

    def make_sure_of_root(self) -> None:
        """Ask whether we may become root; it costs a command, so only where something has failed. Raises ReachError."""
        if self.connection:
            self.connection.run_as_root("true")

    def keep_uploads_private(self) -> None:
        """Let files on their way to root wait where only our account can read them. Raises ReachError."""
        if self.connection and self.host.data.get("_sudo"):
            self.uploads = self.connection.run("mktemp -d").out.strip()
            self.host.data.override_datas["_temp_dir"] = self.uploads

    def run_shell_command(self, command: StringCommand, *args: Any, **kwargs: Any) -> tuple[bool, CommandOutput]:
        """Run a command, and log it with what it answered."""
        self._log(f"$ {command}")
        with self._noticed():
            succeeded, output = super().run_shell_command(command, *args, **kwargs)
        for line in output.output_lines if not isinstance(command, SilentCommand) else ():
            self._log(f"  {line}")
        if not succeeded:
            self.refused = tuple(output.output_lines)
        return succeeded, output

    def put_file(self, filename_or_io: Any, remote_filename: str, *args: Any, **kwargs: Any) -> bool:
        """Upload a file, and log that."""
        self._log(f"> {remote_filename}")
        with self._noticed():
            return super().put_file(filename_or_io, remote_filename, *args, **kwargs)

    def disconnect(self) -> None:
        """Leave nothing of ours on the device, and close."""
        if self.connection is None:
            return
        if self.uploads and self.alive:
            with suppress(ReachError):
                self.connection.run(f"rm -rf {self.uploads}")
        self.connection.close()

    @property
    def alive(self) -> bool:
        """Whether the connection still stands."""
        return self.connection is not None and self.connection.alive

    @contextmanager
    def _noticed(self) -> Iterator[None]:
        """Keep what goes wrong: pyinfra tells only that something did."""
        try:
            yield
        except (TimeoutError, OSError, SSHException) as error:
            self.trouble = error
            self._log(f"! {type(error).__name__}: {error}")
            raise

    def _log(self, text: str) -> None:
        self.host.connector_data[VOICE].log(text[:_LONGEST])
