# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see COPYING in this collection)
"""Ansible callback plugin: what happens, as one JSON object a line, for tuyen's ansible driver."""

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: events
type: stdout
short_description: What happens, as JSON lines on a descriptor
description:
  - Writes one JSON object a line for each start of a task on a host, for each result and, at the end, for each host.
  - Results keep the keys that tell people something; those of tasks with C(no_log) arrive here censored already.
  - When nobody reads any more, it falls silent, so that the hosts still get what they were being given.
  - Roles tell tuyen more by three conventions. A task that check mode skips for a condition that names
    C(ansible_check_mode) is listed as decided at apply. What C(ansible.builtin.debug) says is a note. A task tagged
    C(not_applicable) that fails says that the machine lacks what the job is about.
requirements:
  - set as stdout callback
options:
  descriptor:
    description: The number of an open file descriptor to write to.
    type: int
    required: true
    env:
      - name: TUYEN_EVENTS_DESCRIPTOR
"""

KEPT = ("changed", "skipped", "false_condition", "msg", "module_stderr", "stderr", "stdout", "rc", "cmd", "diff")


class CallbackModule(CallbackBase):  # type: ignore[misc, unused-ignore]
    """Tells tuyen's driver what happens."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "tuyen.core.events"

    _heard = True

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """Tell that a task begins on a host."""
        self._write({"on": "start", "host": host.get_name(), "task": task.name or task.action})

    def v2_runner_on_ok(self, result: Any) -> None:
        """Tell a result, whether it changed something or not."""
        self._result("ok", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Tell that a task was skipped, with the condition that was not met."""
        self._result("skipped", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Tell a failure, unless the play ignores it."""
        self._result("ok" if ignore_errors else "failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Tell that a host cannot be reached, with ssh's own words."""
        self._result("unreachable", result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Tell the result for one item of a loop."""
        self._result("ok", result)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        """Tell that one item of a loop was skipped."""
        self._result("skipped", result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Tell that one item of a loop failed."""
        self._result("ok" if result.task_fields.get("ignore_errors") else "failed", result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Tell how it ended, host by host."""
        for host in sorted(stats.processed):
            self._write({"on": "end", "host": host, **stats.summarize(host)})

    def _result(self, kind: str, result: Any) -> None:
        data = result.result
        if "results" in data and kind != "unreachable":
            return  # a loop's summary: its items were told
        fields = result.task_fields
        arguments = fields.get("args") or {}
        self._write(
            {
                "on": kind,
                "host": result.host.get_name(),
                "task": fields.get("name") or result.task.action,
                "action": result.task.action,
                "tags": list(fields.get("tags") or ()),
                "check": bool(fields.get("check_mode")),
                "file": _text(arguments.get("dest") or arguments.get("path")),
                "item": _text(data.get("_ansible_item_label", data.get("item"))),
                "result": {key: data[key] for key in KEPT if key in data},
            }
        )

    def _write(self, record: dict[str, Any]) -> None:
        """Write whole lines; without a reader, stay silent and go on."""
        line = json.dumps(record, default=str).encode() + b"\n"
        try:
            while self._heard and line:
                line = line[os.write(self.get_option("descriptor"), line) :]
        except OSError:
            self._heard = False


def _text(label: Any) -> str:
    return "" if label is None else str(label)
