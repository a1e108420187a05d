"""The process in which pyinfra works: reads orders from stdin, one a line, and speaks on the descriptor it is given.

python -m playbooks.drivers.pyinfra_child DESCRIPTOR < orders

gevent replaces threads, sockets and waiting, so it comes before everything else.
"""

from gevent import monkey  # type: ignore[import-untyped]

monkey.patch_all()

# ruff: noqa: E402
import importlib.util
import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event  # type: ignore[import-untyped]
from gevent.pool import Pool  # type: ignore[import-untyped]
from pyinfra.context import ctx_state

from inventory.language import _, use
from playbooks.drivers.pyinfra_device import Deploy, Work
from playbooks.drivers.pyinfra_state import make_state
from playbooks.drivers.pyinfra_voice import VOICE, Channel
from playbooks.event import Outcome
from playbooks.job import Step


def main() -> None:
    """Carry out orders as they come; when asked to end, each device ends after the operation in hand."""
    channel = Channel(int(sys.argv[1]))
    stopping = Event()
    gevent.signal_handler(signal.SIGTERM, stopping.set)
    waiting = gevent.get_hub().threadpool  # a plain read would let nothing else happen meanwhile
    while not stopping.is_set() and (line := waiting.apply(sys.stdin.buffer.readline)):
        order = json.loads(line)
        use(order["language"])
        perform(order, channel, stopping)
        channel.say({"say": "rest"})


def perform(order: Mapping[str, Any], channel: Channel, stopping: Event) -> None:
    """Carry out the order on all its devices at once; what breaks on one of them ends that one alone."""
    state = make_state(order["targets"], channel, order["timeout"], order["parallel"])
    deploy = load(Path(order["file"]))
    pool = Pool(order["parallel"])
    with ctx_state.use(state):
        working = {
            host: pool.spawn(Work(state, host, Step(order["step"]), stopping.is_set).run, deploy)
            for host in state.inventory
        }
        gevent.joinall(list(working.values()))
    for host, greenlet in working.items():
        if greenlet.exception is not None:
            error = greenlet.exception
            told = _("the job itself is wrong: {kind}: {error}").format(kind=type(error).__name__, error=error)
            host.connector_data[VOICE].done(Outcome.FAILED, told)


def load(file: Path) -> Deploy:
    """Return the `deploy` of a step's file."""
    specification = importlib.util.spec_from_file_location(f"tuyen_job_{file.stem}", file)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    deploy: Deploy = module.deploy
    return deploy


if __name__ == "__main__":
    main()
