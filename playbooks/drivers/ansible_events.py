"""From the records of our Ansible callback to events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inventory.language import _
from playbooks.batch import Batch
from playbooks.drivers.ansible_diffs import change_text
from playbooks.drivers.ansible_reasons import failure_reason, unreachable_reason
from playbooks.drivers.ansible_ways import Ways
from playbooks.event import Change, Doing, Done, Note, Outcome
from playbooks.sshconfig import CONNECT_SECONDS

NOT_APPLICABLE = "not_applicable"  # a tag: this task fails when the machine lacks what the job is about
_HEARD = ("ok", "failed")  # how a task ends that a device was asked about
# Actions for which no device is asked: they tell nothing of whether it is there.
_OURS = frozenset({"assert", "debug", "fail", "include_tasks", "set_fact", "validate_argument_spec"})
_BY_CHECK_MODE = "ansible_check_mode"  # a condition that names it cannot be judged before the job is applied

Record = Mapping[str, Any]


@dataclass(slots=True)
class Hearing:
    """What was heard of the devices of a batch. Everything is masked before it is told or written down."""

    batch: Batch
    failures: dict[str, tuple[Outcome, str]] = field(default_factory=dict)  # the last is what ended a device's part
    answered: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    ways: Ways = field(init=False)
    late: bool = False  # the time is over: who fails now fails for that

    def __post_init__(self) -> None:
        self.ways = Ways(self.batch.parallel)

    def hear(self, line: str) -> None:
        """Take one line of the callback."""
        record: Record = _masked(json.loads(line), self.batch)
        host, kind = record["host"], record["on"]
        if kind != "start":
            with self.batch.log(host).open("a", encoding="utf-8") as log:
                log.write(json.dumps(record, ensure_ascii=False) + "\n")
        match kind:
            case "start":
                self.batch.tell(Doing(host, record["task"]))
            case "end":
                self._end(host, record)
            case _:
                self._result(host, kind, record)

    def finish(self, outcome: Outcome, reason: str) -> None:
        """Tell devices that have not ended how they ended: `outcome`, unless something earlier explains it."""
        for target in self.batch.targets:
            if target.id not in self.done:
                self._tell_done(target.id, *self.failures.get(target.id, (outcome, reason)))

    def run_out(self) -> None:
        """Tell devices that have not ended that their time is over."""
        for target in self.batch.targets:
            self.failures.setdefault(target.id, self._late(target.id))
        self.finish(Outcome.FAILED, "")

    def _late(self, device: str) -> tuple[Outcome, str]:
        seconds = f"{self.batch.job.shape.timeout:g}"
        if device in self.answered:
            return Outcome.FAILED, _("not finished within {seconds} s, and stopped").format(seconds=seconds)
        return Outcome.UNREACHABLE, _("no answer within {seconds} s, and given up").format(seconds=seconds)

    def _result(self, host: str, kind: str, record: Record) -> None:
        result, what = record["result"], _what(record)
        if self.late and kind in ("failed", "unreachable"):
            self.failures[host] = self._late(host)
        elif kind == "unreachable":
            self.failures[host] = (Outcome.UNREACHABLE, self._unreachable(host, str(result.get("msg"))))
        elif kind == "failed":
            self.failures[host] = _failure(what, record)
        elif kind == "skipped":
            self._skipped(host, what, record)
        elif record["action"].rpartition(".")[2] == "debug":
            self.batch.tell(Note(host, str(result.get("msg", ""))))
        elif result.get("changed"):
            self.batch.tell(Change(host, what, change_text(record["action"], record["file"], result)))
        if kind in _HEARD and not self.late and record["action"].rpartition(".")[2] not in _OURS:
            self.answered.add(host)

    def _unreachable(self, host: str, words: str) -> str:
        was_there = host in self.answered
        if not was_there:
            self.ways.ask(next(target for target in self.batch.targets if target.id == host))
        return unreachable_reason(host, words, seconds=CONNECT_SECONDS, was_there=was_there)

    def _skipped(self, host: str, what: str, record: Record) -> None:
        """Tell what check mode passed over: commands that would run, and what cannot be known yet."""
        result = record["result"]
        if not record["check"]:
            return
        if _BY_CHECK_MODE in str(result.get("false_condition", "")):
            self.batch.tell(Change(host, what, foreseen=False))
        elif result.get("cmd"):
            self.batch.tell(Change(host, what, change_text(record["action"], record["file"], result)))

    def _end(self, host: str, record: Record) -> None:
        """Tell how it ended: a failure that the play rescued is none."""
        if not (record["failures"] or record["unreachable"]):
            self._tell_done(host, Outcome.DONE, "")
        else:
            self._tell_done(host, *self.failures.get(host, (Outcome.FAILED, _("Ansible names no reason; see the log"))))

    def _tell_done(self, host: str, outcome: Outcome, reason: str) -> None:
        self.done.add(host)
        self.batch.tell(Done(host, outcome, self.batch.mask(self.ways.fault(host)) or reason))


def _what(record: Record) -> str:
    """Return the task's name, with the item when it is one of a loop."""
    return f"{record['task']}: {record['item']}" if record.get("item") else str(record["task"])


def _failure(what: str, record: Record) -> tuple[Outcome, str]:
    if NOT_APPLICABLE in record["tags"]:
        return Outcome.NOT_APPLICABLE, str(record["result"].get("msg", ""))
    return Outcome.FAILED, failure_reason(what, record["result"])


def _masked(value: Any, batch: Batch) -> Any:
    """Return `value` with secrets hidden in every text, also in keys."""
    if isinstance(value, str):
        return batch.mask(value)
    if isinstance(value, list):
        return [_masked(item, batch) for item in value]
    if isinstance(value, dict):
        return {batch.mask(key): _masked(item, batch) for key, item in value.items()}
    return value
