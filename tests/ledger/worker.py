"""A controller in a process of its own: `python -m tests.ledger.worker PLACE DEVICES`.

It prints each step after it was written down, so that who kills it knows what must be there.
"""

import sys

from ledger.connection import open_ledger
from ledger.runs import begin_run, end_run, intend, move
from ledger.states import Outcome, State
from tests.ledger.conftest import LAN


def main() -> None:
    place, number = sys.argv[1], int(sys.argv[2])
    with open_ledger(place) as ledger:
        run = begin_run(ledger, job="x", job_digest="", plan_digest="", actor=LAN, command="tuyen run x")
        print("run", run, "begun", flush=True)
        devices = [f"box.{position:03}" for position in range(number)]
        intend(ledger, run, dict.fromkeys(devices, "f"))
        for device in devices:
            for state in (State.APPLYING, State.VERIFYING, State.CHANGED):
                move(ledger, run, device, state)
                print(device, run, state, flush=True)
        end_run(ledger, run, Outcome.DONE)
        print("run", run, "done", flush=True)


if __name__ == "__main__":
    main()
