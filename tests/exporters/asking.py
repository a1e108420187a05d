"""One question, as the watch would put it, with what must hold for every reading whatever."""

import asyncio
import unicodedata
from collections.abc import Mapping
from typing import Any

from exporters.probes import ask
from exporters.reading import METRICS, Reading, Target
from inventory.model import Module
from inventory.modules import OPTIONS
from tests.exporters.daemons import HERE

SPARE = 1.0  # seconds that a reading may take beyond its timeout, on a busy machine


async def asked(probe: str, target: Target, patience: float, options: Mapping[str, Any]) -> Reading:
    module = Module(f"test-{probe}", probe, timeout=patience)
    found = await ask("router.dong-yen", target, module, OPTIONS[probe].model_validate(options))
    assert found.reason
    assert not [sign for sign in found.reason if unicodedata.category(sign)[0] == "C"]
    assert found.seconds < patience + SPARE
    assert {metric.name for metric in found.metrics} <= set(METRICS)
    assert len({metric[:2] for metric in found.metrics}) == len(found.metrics)
    return found


def reading(probe: str, target: Target | None = None, timeout: float = 5.0, **options: Any) -> Reading:
    return asyncio.run(asked(probe, target or Target(HERE), timeout, options))


def values(found: Reading) -> dict[str, float]:
    """The metrics of a reading by name and labels: `name{key=text}`."""
    return {name + "".join(f"{{{key}={text}}}" for key, text in labels): value for name, labels, value in found.metrics}
