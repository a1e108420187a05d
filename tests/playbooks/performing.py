"""One step of a job, carried out where the controller of a lab stands: the order on stdin, what happens on stdout.

{"province": FOLDER, "run": FOLDER, "job": NAME, "step": STEP, "selector": ..., "sets": {...}, "usual": {...}}

"usual" are values for jobs that have such variables, "secrets" what references reveal. Each event is one line,
["Change", {...}]. With "job" empty, the host keys of the devices are pinned instead.
"""

import dataclasses
import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inventory.load import load
from inventory.model import Device, Province
from inventory.selector import select_devices
from playbooks.access import Access
from playbooks.batch import Batch
from playbooks.catalogue import find_job
from playbooks.connection import scan
from playbooks.drivers import driver
from playbooks.event import Event
from playbooks.facts import gather
from playbooks.job import Step
from playbooks.mask import Mask
from playbooks.pins import entry_name
from playbooks.variables import values_of

_TURN = threading.Lock()


def tell(event: Event) -> None:
    with _TURN:
        print(json.dumps([type(event).__name__, event._asdict()]), flush=True)


def perform(province: Province, order: Mapping[str, Any]) -> None:
    folder, secrets = Path(province.folder), order.get("secrets", {})
    devices = select_devices(province, order["selector"])
    job = find_job(folder, order["job"])
    usual = {name: value for name, value in order["usual"].items() if name in job.shape.variables}
    values = values_of(province, job, devices, {**usual, **order["sets"]})
    targets = Access(province, "tuyen", secrets).targets(devices, values)
    run = Path(order["run"])
    run.mkdir(exist_ok=True)
    mask = Mask([str(secret) for secret in secrets.values()])
    if order["step"] == "gather":
        batch = Batch(job, Step.CHECK, targets, run, lambda _event: None, mask)
        print(json.dumps({device: facts.model_dump(mode="json") for device, facts in gather(batch).items()}))
    else:
        driver(job.shape.driver).perform(Batch(job, Step(order["step"]), targets, run, tell, mask))


def pin(province: Province, devices: tuple[Device, ...]) -> None:
    known_hosts = Path(province.folder, ".tuyen", "known_hosts")
    free = dataclasses.replace(province, access=())
    with known_hosts.open("a") as written:
        for target in Access(free, "tuyen", {}).targets(devices, {}):
            key = scan(target.login, (), known_hosts)
            written.write(f"{entry_name(target.login)} {key.kind} {key.key}\n")


def main() -> None:
    order = json.load(sys.stdin)
    province = load(Path(order["province"]))
    if order["job"]:
        perform(province, order)
    else:
        pin(province, select_devices(province, order["selector"]))


if __name__ == "__main__":
    main()
