"""A device's command line by netmiko, over a session that `playbooks.connection` has opened.

netmiko would make its own connection and word its own failures; ours is held to the pinned key, leads through the
jump hosts, and says what is the matter. What netmiko brings is the knowledge of prompts, modes and echoes.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import paramiko
from netmiko import BaseConnection, ConfigInvalidException, NetmikoBaseException
from netmiko.channel import SSHChannel
from netmiko.cisco import CiscoIosSSH
from netmiko.cisco_base_connection import CiscoSSHConnection
from netmiko.exceptions import ReadException, ReadTimeout

from inventory.language import _
from playbooks import refusal
from playbooks.connection import Connection
from playbooks.gear.errors import RejectedError
from playbooks.gear.platforms import Platform
from playbooks.gear.untrusted import first_line, plain

_WIDTH, _HEIGHT = 511, 1000
_DEEPEST = 4  # sections within sections
_READ_SECONDS = 30.0  # for one answer: a long configuration over a slow line
_LINE_SECONDS = 10.0  # for a line of configuration to be taken
_VTYSH = "env VTYSH_PAGER=cat vtysh"
_REJECTED = re.compile(r"Invalid input detected at command: (?P<line>.*), matched error: (?P<said>.*)", re.DOTALL)


class _Adopted(BaseConnection):
    """A netmiko connection over a client that is logged in already."""

    def __init__(self, client: paramiko.SSHClient, user: str, **options: Any) -> None:
        self._client = client
        super().__init__(host="-", username=user, **options)

    def establish_connection(self, width: int = _WIDTH, height: int = _HEIGHT) -> None:
        """Open a terminal on the client instead of connecting."""
        self.remote_conn_pre = self._client
        self.remote_conn = self._open_terminal(width, height)
        self.remote_conn.settimeout(self.blocking_timeout)
        self.channel = SSHChannel(conn=self.remote_conn, encoding=self.encoding)

    def _open_terminal(self, width: int, height: int) -> paramiko.Channel:
        return self._client.invoke_shell("vt100", width, height)


class _Frr(_Adopted, CiscoSSHConnection):
    """vtysh on a terminal of its own: not a line of a shell in between."""

    def _open_terminal(self, width: int, height: int) -> paramiko.Channel:
        transport = self._client.get_transport()
        if transport is None:
            raise EOFError
        terminal = transport.open_session(timeout=_READ_SECONDS)
        terminal.get_pty("vt100", width, height)
        terminal.exec_command(_VTYSH if self.username == "root" else f"sudo -n {_VTYSH}")
        return terminal

    def session_preparation(self) -> None:
        """Wait for the prompt; there is nothing to set."""
        self._test_channel_read(pattern=r"#\s*$")
        self.set_base_prompt()

    def check_config_mode(self, check_string: str = ")#", pattern: str = "#", force_regex: bool = False) -> bool:
        """Look at the next prompt; without a pattern, netmiko would wait whether more comes."""
        return super().check_config_mode(check_string, pattern, force_regex)


class _CiscoIos(_Adopted, CiscoIosSSH):
    """Cisco IOS, and what speaks like it."""

    def exit_config_mode(self, exit_config: str = "exit", pattern: str = "#") -> str:
        """Leave section by section, as some that speak like IOS do not know `end`."""
        heard = ""
        for _level in range(_DEEPEST):
            if not self.check_config_mode():
                return heard
            self.write_channel(self.normalize_cmd(exit_config))
            heard += self.read_until_pattern(pattern=pattern)
        return heard + super().exit_config_mode(exit_config, pattern)


_TYPES: Mapping[str, tuple[type[_Adopted], str]] = {
    "frr": (_Frr, "cisco_ios"),
    "cisco_ios": (_CiscoIos, "cisco_ios"),
}


class Cli:
    """An open command line, in the mode that shows and sets everything. Raises ReachError when it goes away."""

    def __init__(self, connection: Connection, session: BaseConnection, platform: Platform) -> None:
        self.connection, self._session, self._platform = connection, session, platform

    def show(self, command: str) -> str:
        """Return what the device answers to a command, as plain text."""
        with _told(self.connection):
            return plain(str(self._session.send_command(command, read_timeout=_READ_SECONDS)))

    def configure(self, lines: Iterable[str]) -> str:
        """Send lines of configuration, each only after the one before was taken; return the dialogue.

        Raises RejectedError with the line that was not taken; those before it hold then.
        """
        sent = [line.strip() for line in lines]
        with _told(self.connection, _LINE_SECONDS):
            try:
                return plain(self._set(sent))
            except ConfigInvalidException as error:
                with contextlib.suppress(NetmikoBaseException, ValueError):
                    self._session.exit_config_mode()
                raise _rejected(str(error)) from error

    def _set(self, lines: list[str]) -> str:
        return self._session.send_config_set(lines, read_timeout=_LINE_SECONDS, error_pattern=self._platform.rejects)

    def save(self) -> None:
        """Make the running configuration the one that it starts with."""
        with _told(self.connection):
            answer = plain(self._session.save_config())
        if re.search(self._platform.rejects, answer, re.MULTILINE):
            raise RejectedError(_("the configuration was not saved: {reason}").format(reason=first_line(answer)))


@contextlib.contextmanager
def open_cli(connection: Connection, name: str, platform: Platform, enable: str) -> Iterator[Cli]:
    """Open the command line of platform `name`; `enable` is the password of the privileged mode, where there is one."""
    kind, device_type = _TYPES[name]
    with _told(connection):
        session = kind(
            connection.client,
            connection.login.user,
            device_type=device_type,
            secret=enable,
            fast_cli=True,
        )
        if not session.check_enable_mode():
            _enable(session)
    yield Cli(connection, session, platform)


def _enable(session: BaseConnection) -> None:
    try:
        session.enable()
    except ValueError as error:
        told = _("it does not let us into its privileged mode; set the job's variable enable_password")
        raise RejectedError(told) from error


@contextlib.contextmanager
def _told(connection: Connection, seconds: float = _READ_SECONDS) -> Iterator[None]:
    """Turn what the library raises into our reasons; `seconds` is how long it was to wait."""
    try:
        yield
    except (ReadTimeout, TimeoutError) as error:
        raise refusal.unanswered(connection.login, seconds) from error
    except (ReadException, EOFError, OSError, paramiko.SSHException) as error:
        raise refusal.went_away(connection.login) from error


def _rejected(said: str) -> RejectedError:
    found = _REJECTED.search(said)
    line, why = (found["line"], first_line(found["said"])) if found else (first_line(said), "")
    return RejectedError(_("it did not take the line '{line}': {reason}").format(line=line, reason=why))
