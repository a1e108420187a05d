"""The gate of a rollout, asked where the controller of a small lab stands: one question on the command line.

{"do": "look"|"fitness"|"not_up", "devices": [...], "before": {...}, "ca_file": PATH, "blind": bool}
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from cli.gating import Gating, not_up
from exporters.questions import Knowledge
from inventory.model import Province
from playbooks.rollout.plan import Gate
from tests.lab.small import SECRETS, small_province

PATIENCE = 2.0  # seconds for each question


def province() -> Province:
    """Return the small province; upper and lower depend on its service, and nobody waits long for an answer."""
    small = small_province()
    service = replace(small.services["one-stop"], offices=("upper", "lower"))
    modules = {name: replace(module, timeout=PATIENCE) for name, module in small.modules.items()}
    return replace(small, services={service.id: service}, modules=modules)


def answer(asked: Mapping[str, Any]) -> Any:
    secrets = {} if asked.get("blind") else SECRETS
    knowledge = Knowledge(secrets=secrets, ca_file=asked["ca_file"])
    if asked["do"] == "not_up":
        return not_up(province(), asked["devices"], knowledge)
    gating = Gating(province(), Gate(), knowledge, asked.get("before", {}))
    if asked["do"] == "fitness":
        return gating.fitness(asked["devices"])
    return asdict(gating.look(asked["devices"]))


if __name__ == "__main__":
    print(json.dumps(answer(json.loads(sys.argv[1]))))
