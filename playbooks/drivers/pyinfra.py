"""The pyinfra driver: many small Linux machines at once, in one child process.

The child goes on to the next step of a run, as it takes long to start; that of a risky job ends with each step.

A step is `apply.py`, `verify.py` or `rollback.py` of the job, with `deploy(values)`; see `playbooks.deploying`.
Check asks each operation of apply what it would do, in order, as if those before it had succeeded.

The order, with secrets, goes to the child's stdin only. What the child says comes back through the mask.
"""

import json
import os
import selectors
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from inventory.language import _, current
from playbooks.batch import Batch
from playbooks.drivers.pyinfra_process import GRACE, LOG, Process
from playbooks.event import Change, Doing, Done, Event, Note, Outcome
from playbooks.job import Step
from playbooks.target import Target

_FILES: Mapping[Step, str] = {
    Step.CHECK: "apply.py",
    Step.APPLY: "apply.py",
    Step.VERIFY: "verify.py",
    Step.ROLLBACK: "rollback.py",
}

_MOST = 200  # characters of what pyinfra said last

Take = Callable[[str, Mapping[str, Any]], None]


def perform(batch: Batch) -> None:
    """Do the batch's step on its devices; returns when each was told Done and the child is gone, or kept idle."""
    carry_out(batch, lambda _device, _facts: None)


def carry_out(batch: Batch, take: Take) -> None:
    """Do the step, and let `take` have the facts that devices report."""
    file = batch.job.folder / _FILES[batch.step]
    if not file.is_file():
        reason = _("the job '{job}' has no {file}").format(job=batch.job.name, file=file.name)
        for target in batch.targets:
            batch.tell(Done(target.id, Outcome.FAILED, reason))
        return
    _Conversation(batch, take).hold(file)


class _Conversation:
    """What the child says, until it ends or has to."""

    def __init__(self, batch: Batch, take: Take) -> None:
        self._batch, self._take = batch, take
        self._open = {target.id for target in batch.targets}
        self._end = time.monotonic() + batch.job.shape.timeout
        self._reason = ""  # why we ended it
        self._open_logs = ExitStack()
        self._logs: dict[str, TextIO] = {}

    def hold(self, file: Path) -> None:
        process = self._process()
        rested = False
        try:
            process.order(_order(self._batch, file))
            with self._open_logs:
                rested = self._listen(process)
        finally:
            if rested and self._batch.kept and not self._batch.job.risky:
                self._batch.kept.put(process)
                code = 0
            else:
                code = process.end(0 if self._reason else GRACE)
        self._close(code)

    def _process(self) -> Process:
        """Return the process of an earlier step, or a new one."""
        idle = self._batch.kept.take() if self._batch.kept else None
        if not isinstance(idle, Process):
            return Process(self._batch)
        if idle.alive:
            return idle
        idle.close()
        return Process(self._batch)

    def _listen(self, process: Process) -> bool:
        """Pass on what is said until the order is carried out; False when it is ended before, by itself or by us."""
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.heard, selectors.EVENT_READ)
            while not self._over(process):
                if not selector.select(0.2):
                    continue
                data = os.read(process.heard, 65536)
                if not data:
                    return False
                *lines, rest = (rest + data).split(b"\n")
                for message in map(json.loads, lines):
                    if message["say"] == "rest":
                        return not self._reason
                    self._pass_on(message)
        return False

    def _over(self, process: Process) -> bool:
        """Whether we have waited enough; the first time there is reason to end, the child is asked to."""
        now = time.monotonic()
        if not self._reason and (self._batch.stop.is_set() or now > self._end):
            late = _("it was not finished within {seconds:g} s").format(seconds=self._batch.job.shape.timeout)
            self._reason = _("interrupted") if self._batch.stop.is_set() else late
            self._end = now + GRACE
            process.ask_to_end()
        return bool(self._reason) and now > self._end

    def _pass_on(self, message: dict[str, Any]) -> None:
        batch, device = self._batch, str(message["device"])
        plain = {key: batch.mask(value) if isinstance(value, str) else value for key, value in message.items()}
        if message["say"] == "facts":
            self._take(device, message["facts"])
            return
        self._log(device).write(_line(plain))
        if event := _event(device, plain):
            if isinstance(event, Done):
                self._open.discard(device)
            batch.tell(event)

    def _log(self, device: str) -> TextIO:
        """Return the open log of a device: it is written to often."""
        if device not in self._logs:
            file = self._batch.log(device).open("a", encoding="utf-8", buffering=1)
            self._logs[device] = self._open_logs.enter_context(file)
        return self._logs[device]

    def _close(self, code: int) -> None:
        """Tell the end of what was left open."""
        if not self._open:
            return
        log = self._batch.folder / LOG
        said = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
        reason = self._reason or _("pyinfra ended in the middle (code {code}): {said}; see {log}").format(
            code=code, said=said[-1][:_MOST] if said else "-", log=log
        )
        for target in self._batch.targets:
            if target.id in self._open:
                self._batch.tell(Done(target.id, Outcome.FAILED, reason))


def _order(batch: Batch, file: Path) -> Mapping[str, Any]:
    return {
        "file": str(file),
        "step": batch.step.value,
        "timeout": batch.job.shape.timeout,
        "parallel": batch.parallel,
        "language": current(),
        "targets": list(map(_ordered, batch.targets)),
    }


def _ordered(target: Target) -> dict[str, Any]:
    return {
        "id": target.id,
        "login": asdict(target.login),
        "jumps": [asdict(hop) for hop in target.jumps],
        "known_hosts": str(target.known_hosts.absolute()),
        "variables": dict(target.variables),
    }


def _event(device: str, message: Mapping[str, Any]) -> Event | None:
    match message["say"]:
        case "doing":
            return Doing(device, message["what"])
        case "change":
            return Change(device, message["what"], message["diff"], message["foreseen"])
        case "note":
            return Note(device, message["text"])
        case "done":
            return Done(device, Outcome(message["outcome"]), message["reason"])
    return None


def _line(message: Mapping[str, Any]) -> str:
    """Return the message as lines of a log."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    texts = [str(value) for key, value in message.items() if key not in ("say", "device") and value not in ("", True)]
    return f"{now} {message['say']} {chr(10).join(texts)}\n"
