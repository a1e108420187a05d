"""The steps of a job on one piece of gear, over one connection.

CHECK     what differs: which lines and files would be sent
APPLY     keep how it was, send them, save; a line or file that is refused fails the device
VERIFY    nothing differs any more, services run, the job's own checks show their patterns
ROLLBACK  back to what the last run of this job had kept
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from inventory.language import _
from playbooks.batch import Batch
from playbooks.connection import Connection
from playbooks.drivers.netmiko_session import Cli
from playbooks.event import Change, Doing, Note
from playbooks.gear.capabilities import File, file_at
from playbooks.gear.configuration import Section, intended, remediation, whole
from playbooks.gear.errors import GearError, RejectedError
from playbooks.gear.keepsake import Keepsake, keep, recall
from playbooks.gear.linux import Held, difference, put_file, read_files, run_all
from playbooks.gear.platforms import PLATFORMS, Platform
from playbooks.gear.rendering import Intent, render
from playbooks.job import Step
from playbooks.target import Target

_SETTLE_SECONDS = 40.0  # for services and neighbours, before a check has failed
_LOOK_EVERY = 1.0  # seconds


class Delta(NamedTuple):
    """What lies between a device and its target: lines by section, and the new state of files."""

    sections: tuple[Section, ...]
    files: Mapping[File, Held]

    def names(self) -> str:
        """Name what differs, for a message; "" when nothing does."""
        return ", ".join([*(section.title for section in self.sections), *(file.path for file in self.files)])


@dataclass(frozen=True)
class Session:
    """One device, connected. `rest` waits some seconds; it raises when the run is to end."""

    batch: Batch
    target: Target
    connection: Connection
    cli: Cli
    rest: Callable[[float], None]

    def do(self) -> None:
        """Carry out the step of the batch. Raises GearError, ReachError."""
        steps = {Step.CHECK: self._check, Step.APPLY: self._apply, Step.VERIFY: self._verify}
        steps.get(self.batch.step, self._roll_back)()

    @property
    def _platform(self) -> Platform:
        return PLATFORMS[self.target.device.platform]

    def _check(self) -> None:
        intent = render(self.batch.job, self.target)
        delta, running, held = self._compare(intent)
        for change in self._changes(delta, held):
            self.batch.tell(change)
        self._tell_notes(intent, running)

    def _apply(self) -> None:
        intent = render(self.batch.job, self.target)
        delta, running, held = self._compare(intent)
        self._carry_out(delta, running, held)

    def _verify(self) -> None:
        intent = render(self.batch.job, self.target)
        delta, _running, _held = self._compare(intent)
        if delta.names():
            raise RejectedError(_("it still differs after applying: {names}").format(names=delta.names()))
        self._doing(_("checks that it works"))
        end = time.monotonic() + _SETTLE_SECONDS
        while reason := self._ailing(intent):
            if time.monotonic() > end:
                raise RejectedError(reason)
            self.rest(_LOOK_EVERY)

    def _roll_back(self) -> None:
        kept = recall(self.batch.folder, self.target.id, self.batch.job.name)
        running, held = self._running(), self._held(kept.files)
        back = {file_at(path): was for path, was in kept.files.items() if held[path] != was}
        self._carry_out(Delta(remediation(self._platform, running, kept.running), back), running, held)

    def _compare(self, intent: Intent) -> tuple[Delta, str, dict[str, Held]]:
        """Return what differs from `intent`, and how the device is: its running configuration and its files."""
        running = self._running()
        held = self._held(file.path for file in intent.files)
        target = intended(self._platform, running, intent.owned, intent.pieces)
        wanted = {file: held[file.path]._replace(text=text, mode=file.mode) for file, text in intent.files.items()}
        differing = {file: state for file, state in wanted.items() if state != held[file.path]}
        return Delta(remediation(self._platform, running, target), differing), running, held

    def _running(self) -> str:
        self._doing(_("reads the running configuration"))
        return whole(self._platform, self.cli.show(self._platform.running))

    def _held(self, paths: Iterable[str]) -> dict[str, Held]:
        return read_files(self.connection, paths)

    def _carry_out(self, delta: Delta, running: str, held: Mapping[str, Held]) -> None:
        """Send what differs and tell each change once all are made; when one is refused, take back what was sent."""
        if not delta.names():
            return
        before = {file: held[file.path] for file in delta.files}
        kept = Keepsake(running, {file.path: was for file, was in before.items()})
        keep(self.batch.folder, self.target.id, self.batch.job.name, kept)
        try:
            self._send(delta)
        except GearError as error:
            self._doing(_("takes back what was sent"))
            self._send(Delta(remediation(self._platform, self._running(), running), before))
            raise RejectedError(_("{reason}; what had been sent was taken back").format(reason=error)) from error
        for change in self._changes(delta, held):
            self.batch.tell(change)

    def _send(self, delta: Delta) -> None:
        """Put files in place, let their services read them, send the lines, and save."""
        for file, state in delta.files.items():
            self._doing(_("writes {path}").format(path=file.path))
            put_file(self.connection, file, state)
            self._log(f"wrote {file.path}")
        run_all(self.connection, [command for file in delta.files for command in file.after])
        if delta.sections:
            self._doing(_("sends {count} sections of configuration").format(count=len(delta.sections)))
            self._log(self.cli.configure(line for section in delta.sections for line in section.lines))
            self.cli.save()

    def _changes(self, delta: Delta, held: Mapping[str, Held]) -> list[Change]:
        mask, device = self.batch.mask, self.target.id
        lines = [
            Change(device, mask(title), mask("".join(f"{line}\n" for line in said))) for title, said in delta.sections
        ]
        files = [
            Change(device, file.path, mask(difference(held[file.path], state, file.path)))
            for file, state in delta.files.items()
        ]
        return files + lines

    def _tell_notes(self, intent: Intent, running: str) -> None:
        platform = self.target.device.platform
        notes = [
            _("not applicable: {what} on {platform}").format(what=what, platform=platform) for what in intent.left_out
        ]
        notes += [_("left as it is, as no values say otherwise: {what}").format(what=what) for what in intent.unsaid]
        if self._unsaved(running):
            notes.append(_("the running configuration was never saved: a restart, or a revert, loses what was not"))
        for note in notes:
            self.batch.tell(Note(self.target.id, note))

    def _unsaved(self, running: str) -> bool:
        """Whether a restart would bring another configuration than the one that runs; unknown counts as no."""
        saved = self._platform.saved
        text = (self._held([saved])[saved].text or "") if self._platform.linux else self.cli.show(saved)
        known = "interface " in text or "hostname " in text
        return known and bool(remediation(self._platform, running, text))

    def _ailing(self, intent: Intent) -> str:
        """Return the first thing that does not work, "" when all does."""
        for proof in intent.proofs:
            answer = self.connection.run_as_root(proof)
            if not answer.ok:
                return _("it does not work after applying: '{command}' fails").format(command=proof)
        for command, pattern in intent.checks:
            if not re.search(pattern, self.cli.show(command), re.MULTILINE):
                told = _("it does not work after applying: '{command}' does not show '{pattern}'")
                return self.batch.mask(told.format(command=command, pattern=pattern))
        return ""

    def _doing(self, what: str) -> None:
        self.rest(0)
        self.batch.tell(Doing(self.target.id, what))

    def _log(self, text: str) -> None:
        with self.batch.log(self.target.id).open("a", encoding="utf-8") as log:
            log.write(self.batch.mask(text.rstrip("\n")) + "\n")
