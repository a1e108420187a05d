"""One step on one device: connect, gather the step's operations, then foresee them or carry them out."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyinfra.api.command import PyinfraCommand
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.operation import OperationMeta
from pyinfra.api.operations import run_host_op
from pyinfra.api.state import StateOperationHostData
from pyinfra.connectors.util import CommandOutput
from pyinfra.context import ctx_host

from inventory.language import _
from playbooks.deploying import Changed, NotApplicableError, NotAtTargetError
from playbooks.drivers.pyinfra_commands import foreseeable, shown
from playbooks.drivers.pyinfra_connector import PinnedConnector
from playbooks.drivers.pyinfra_state import Devices, UnansweredError
from playbooks.drivers.pyinfra_voice import BEHIND, ORDER, VOICE, Voice
from playbooks.errors import ReachError
from playbooks.event import Outcome
from playbooks.job import Step

Deploy = Callable[[Mapping[str, Any]], None]
_MOST = 200  # characters of a device's own words


class StoppedError(Exception):
    """We were asked to end between two operations."""


class OperationFailedError(Exception):
    """An operation failed; the message is the device's own words."""


class Work:
    """One step on one device. `stopping` is asked between operations."""

    def __init__(self, state: Devices, host: Host, step: Step, stopping: Callable[[], bool]) -> None:
        self._state, self._host, self._step, self._stopping = state, host, step, stopping
        self._voice: Voice = host.connector_data[VOICE]
        self._doing = ""  # the operation in hand
        self._unforeseen: list[OperationMeta] = []  # left to be decided at apply
        self._changes = 0

    def run(self, deploy: Deploy) -> None:
        """Do it, and say how it ended."""
        try:
            self._connect()
        except ReachError as error:
            self._voice.done(Outcome.UNREACHABLE, str(error))
            return
        try:
            ended = self._ending(deploy)
        finally:
            self._connector.disconnect()
        self._voice.done(*ended)

    def _ending(self, deploy: Deploy) -> tuple[Outcome, str]:
        """Carry the step out, and return how it ended with the reason as a sentence."""
        try:
            self._carry_out(deploy)
        except NotApplicableError as error:
            return Outcome.NOT_APPLICABLE, str(error)
        except StoppedError:
            return Outcome.FAILED, _("interrupted")
        except (NotAtTargetError, OperationFailedError, PyinfraError) as error:
            return self._failure(error)
        return Outcome.DONE, ""

    def _connect(self) -> None:
        self._voice.doing(_("connecting"))
        self._host.connect()
        self._state.activate_host(self._host)
        if self._step in (Step.APPLY, Step.ROLLBACK):
            self._connector.keep_uploads_private()

    def _carry_out(self, deploy: Deploy) -> None:
        with ctx_host.use(self._host):
            self._begin(_("looking at it"))
            deploy(self._host.connector_data[ORDER]["variables"])
            self._state.executing.add(self._host)
            for operation in tuple(self._host.op_hash_order):
                if self._stopping():
                    raise StoppedError
                self._take_up(operation)

    def _take_up(self, operation: str) -> None:
        data = self._state.get_op_data_for_host(self._host, operation)
        names = self._state.get_op_meta(operation).names
        self._begin(str(data.global_arguments.get("name") or ", ".join(sorted(names))))
        if self._step is Step.CHECK:
            self._foresee(operation, data)
        else:
            self._execute(operation, data)

    def _begin(self, what: str) -> None:
        self._doing = what
        self._voice.doing(what)

    def _foresee(self, operation: str, data: StateOperationHostData) -> None:
        """Say what an operation would change; those that follow are asked as if it had succeeded."""
        cause = self._host.connector_data.get(BEHIND, {}).get(operation)
        if cause is not None and cause.did_change():
            commands, told = None, ""
        else:
            commands, told = self._expected(data)
        if commands is None or commands:
            foreseen = commands is not None and all(map(foreseeable, commands)) and self._surely(data)
            self._tell_change(told if foreseen else "", foreseen=foreseen)
            self._unforeseen += [] if foreseen else [data.operation_meta]
        data.operation_meta.set_complete(True, [None] if commands is None else commands, CommandOutput([]))

    def _surely(self, data: StateOperationHostData) -> bool:
        """Whether the conditions of an operation, which hold, do so by what is foreseen alone."""
        given = data.global_arguments.get("_if") or []
        for condition in given if isinstance(given, list) else [given]:
            causes = condition.operations if isinstance(condition, Changed) else self._unforeseen
            if causes and all(cause in self._unforeseen for cause in causes if cause.did_change()):
                return False
        return True

    def _expected(self, data: StateOperationHostData) -> tuple[list[PyinfraCommand] | None, str]:
        """Return the commands of an operation and their text; None when it cannot be asked before earlier changes."""
        try:
            commands = list(data.command_generator())
            return commands, "\n".join(shown(command, self._host) for command in commands)
        except PyinfraError:
            if not self._changes or not self._connector.alive:
                raise
            return None, ""

    def _execute(self, operation: str, data: StateOperationHostData) -> None:
        told: list[str] = []
        data.command_generator = self._telling(data.command_generator, told)
        succeeded = run_host_op(self._state, self._host, operation)
        done = told if succeeded else told[:-1]
        if done and self._step is not Step.VERIFY:
            self._tell_change("\n".join(done))
        if not succeeded:
            raise OperationFailedError(self._last_words(data))

    def _telling(
        self, commands: Callable[[], Iterator[PyinfraCommand]], told: list[str]
    ) -> Callable[[], Iterator[PyinfraCommand]]:
        """Let each command be put into words just before it runs."""

        def telling() -> Iterator[PyinfraCommand]:
            for command in commands():
                told.append(shown(command, self._host))
                yield command

        return telling

    def _tell_change(self, diff: str, *, foreseen: bool = True) -> None:
        self._changes += 1
        self._voice.change(self._doing, diff, foreseen=foreseen)

    @property
    def _connector(self) -> PinnedConnector:
        connector = self._host.connector
        assert isinstance(connector, PinnedConnector)
        return connector

    def _last_words(self, data: StateOperationHostData) -> str:
        meta = data.operation_meta
        said = (*meta.stdout_lines, *meta.stderr_lines) or self._connector.refused  # of an upload pyinfra keeps nothing
        lines = [line for line in said if any(map(str.isalpha, line))]
        wrong = [line for line in lines if "error" in line.lower()]
        return (wrong[:1] or lines[-1:] or [""])[0].strip()[:_MOST]

    def _failure(self, error: Exception) -> tuple[Outcome, str]:
        """Return how a step ended that `error` broke off, and the reason as a sentence."""
        trouble = self._connector.trouble
        if not self._connector.alive:
            return Outcome.UNREACHABLE, _("it went away during '{what}'").format(what=self._doing)
        if isinstance(trouble, TimeoutError):
            return Outcome.FAILED, _("'{what}' did not end in time").format(what=self._doing)
        if trouble is not None:
            told = _("'{what}': the device did not take the file ({error}); is its disk full?")
            return Outcome.FAILED, told.format(what=self._doing, error=trouble)
        try:
            self._connector.make_sure_of_root()
        except ReachError as refused:
            return Outcome.UNREACHABLE, str(refused)
        return self._own_failure(error)

    def _own_failure(self, error: Exception) -> tuple[Outcome, str]:
        """Return the same of a device that answers us, and obeys."""
        if isinstance(error, UnansweredError):
            return Outcome.FAILED, _("'{what}': the device cannot be asked how it is; its log says why").format(
                what=self._doing
            )
        if isinstance(error, OperationFailedError):
            reason = str(error) or _("a command failed without a word")
            if "No space left" in reason:
                reason = _("the disk is full: make room, then run the job again")
            return Outcome.FAILED, f"'{self._doing}': {reason}"
        return Outcome.FAILED, str(error)
