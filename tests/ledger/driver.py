"""A controller of a rollout in a process of its own: `python -m tests.ledger.driver PLACE ROLLOUT DEVICES [ROLE]`.

It takes the lease (as a `person` it does without), and says each event's number after it was written down. With ROLE
`hold` it takes the lease and waits.
"""

import sys
import time

from ledger.connection import Ledger, open_ledger
from ledger.leases import acquire
from ledger.records import Actor, Draft
from ledger.rollouts import append, lease_name


def main() -> None:
    place, rollout, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    role = sys.argv[4] if len(sys.argv) > 4 else "drive"
    actor = Actor(role, "lan.nguyen")
    with open_ledger(place) as ledger:
        if role == "person":
            work(ledger, rollout, number, actor, None)
            return
        lease = acquire(ledger, lease_name(rollout), actor=actor, seconds=3600)
        print("lease", lease.token, flush=True)
        if role == "hold":
            time.sleep(3600)
        work(ledger, rollout, number, actor, lease.token)


def work(ledger: Ledger, rollout: str, number: int, actor: Actor, token: int | None) -> None:
    for turn in range(number):
        drafts = [Draft("dispatched", f"box.{turn:03}.{part}", details={"dispatch": f"{turn}.{part}"}) for part in "ab"]
        print(*append(ledger, rollout, drafts, actor=actor, token=token), flush=True)


if __name__ == "__main__":
    main()
