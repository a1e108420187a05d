"""The pyinfra driver: many small Linux machines at once, in one child process a step.

A step is `apply.py`, `verify.py` or `rollback.py` of the job, with `deploy(values)`; see `playbooks.deploying`.
Check asks each operation of apply what it would do, in order, as if those before it had succeeded.

The order, with secrets, goes to the child's stdin only. What the child says comes back through the mask.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from inventory.language import _, current
from playbooks.batch import Batch
from playbooks.event import Change, Doing, Done, Event, Note, Outcome
from playbooks.job import Step
from playbooks.target import Target

LOG = "pyinfra.log"  # what the child prints: nothing, unless it breaks
_FILES: Mapping[Step, str] = {
    Step.CHECK: "apply.py",
    Step.APPLY: "apply.py",
    Step.VERIFY: "verify.py",
    Step.ROLLBACK: "rollback.py",
}
_GRACE = 5.0  # seconds to finish the operations in hand
_HERE = Path(__file__).parents[2]

Take = Callable[[str, Mapping[str, Any]], None]


def perform(batch: Batch) -> None:
    """Do the batch's step on its devices; returns when each was told Done and the child is gone."""
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

    def hold(self, file: Path) -> None:
        heard, said = os.pipe()
        with open(heard, "rb", buffering=0) as stream, _child(self._batch, said) as child:  # noqa: PTH123
            os.close(said)
            printed = threading.Thread(target=self._keep_printed, args=(child,))
            printed.start()
            try:
                _order(child, self._batch, file)
                self._listen(stream.fileno(), child)
            finally:
                _finish(child, 0 if self._reason else _GRACE)
                printed.join()
        self._close(child.returncode)

    def _listen(self, descriptor: int, child: "subprocess.Popen[bytes]") -> None:
        """Pass on what is said until the other side is closed, or too late."""
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while not self._over(child):
                if not selector.select(0.2):
                    continue
                data = os.read(descriptor, 65536)
                if not data:
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._pass_on(json.loads(line))

    def _over(self, child: "subprocess.Popen[bytes]") -> bool:
        """Whether we have waited enough; the first time there is reason to end, the child is asked to."""
        now = time.monotonic()
        if not self._reason and (self._batch.stop.is_set() or now > self._end):
            late = _("it was not finished within {seconds:g} s").format(seconds=self._batch.job.shape.timeout)
            self._reason = _("interrupted") if self._batch.stop.is_set() else late
            self._end = now + _GRACE
            child.send_signal(signal.SIGTERM)
        return bool(self._reason) and now > self._end

    def _pass_on(self, message: dict[str, Any]) -> None:
        batch, device = self._batch, str(message["device"])
        plain = {key: batch.mask(value) if isinstance(value, str) else value for key, value in message.items()}
        if message["say"] == "facts":
            self._take(device, message["facts"])
            return
        with batch.log(device).open("a", encoding="utf-8") as log:
            log.write(_line(plain))
        if event := _event(device, plain):
            if isinstance(event, Done):
                self._open.discard(device)
            batch.tell(event)

    def _keep_printed(self, child: "subprocess.Popen[bytes]") -> None:
        assert child.stdout
        with (self._batch.folder / LOG).open("a", encoding="utf-8") as log:
            for line in child.stdout:
                log.write(self._batch.mask(line.decode("utf-8", "replace")))

    def _close(self, code: int) -> None:
        """Tell the end of what was left open."""
        reason = self._reason or _("pyinfra ended in the middle (code {code}); see {log}").format(
            code=code, log=self._batch.folder / LOG
        )
        for target in self._batch.targets:
            if target.id in self._open:
                self._batch.tell(Done(target.id, Outcome.FAILED, reason))


def _child(batch: Batch, said: int) -> "subprocess.Popen[bytes]":
    paths = os.pathsep.join([str(_HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        batch.child([sys.executable, "-P", "-m", "playbooks.drivers.pyinfra_child", str(said)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(said, *batch.locks),
        start_new_session=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": paths, "PYTHONUTF8": "1"},
    )


def _order(child: "subprocess.Popen[bytes]", batch: Batch, file: Path) -> None:
    """Hand the order over; a child that has died will be told of when its words are missed."""
    order = {
        "file": str(file),
        "step": batch.step.value,
        "timeout": batch.job.shape.timeout,
        "parallel": batch.parallel,
        "language": current(),
        "targets": list(map(_ordered, batch.targets)),
    }
    assert child.stdin
    with contextlib.suppress(BrokenPipeError), child.stdin:
        child.stdin.write(json.dumps(order).encode())


def _ordered(target: Target) -> dict[str, Any]:
    return {
        "id": target.id,
        "login": asdict(target.login),
        "jumps": [asdict(hop) for hop in target.jumps],
        "known_hosts": str(target.known_hosts.absolute()),
        "variables": dict(target.variables),
    }


def _finish(child: "subprocess.Popen[bytes]", patience: float) -> None:
    """Let the child end, or end it with whatever it may have started."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(patience)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


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
