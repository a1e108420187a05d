"""Rollouts in the metrics: complete, right, accepted by promtool, and gone rather than old when they cannot be read."""

import subprocess

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from exporters.rollouts import RolloutCollector, RolloutFigures

FIGURES = RolloutFigures(
    rollout="agent-2",
    id="20261125T000000000-abcdef",
    job="one-stop-agent",
    author="nguyen-hoang-nam",
    status="paused",
    wave=2,
    waves=5,
    devices={"done": 12, "at-work": 0, "owed": 1},
)


def page(collector: RolloutCollector) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return generate_latest(registry)


def samples(collector: RolloutCollector) -> dict[str, float]:
    families = text_string_to_metric_families(page(collector).decode())
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in families
        for sample in family.samples
    }


def test_a_rollout_is_told_in_full() -> None:
    collector = RolloutCollector(["running", "paused"])
    collector.figures = (FIGURES,)
    told = samples(collector)
    name = ("rollout", "agent-2")
    assert told[f"tuyen_rollout_devices{[name, ('state', 'done')]}"] == 12
    assert told[f"tuyen_rollout_devices{[name, ('state', 'at-work')]}"] == 0
    assert told[f"tuyen_rollout_status{[name, ('status', 'paused')]}"] == 1
    assert told[f"tuyen_rollout_status{[name, ('status', 'running')]}"] == 0
    assert told[f"tuyen_rollout_wave{[name]}"] == 2
    assert told[f"tuyen_rollout_waves{[name]}"] == 5
    assert told["tuyen_rollouts_read_success[]"] == 1
    [info] = [series for series in told if series.startswith("tuyen_rollout_info")]
    assert FIGURES.id in info


def test_figures_that_cannot_be_read_are_left_out() -> None:
    collector = RolloutCollector(["running"])
    collector.figures = None
    assert samples(collector) == {"tuyen_rollouts_read_success[]": 0}


def test_promtool_has_nothing_to_complain_of() -> None:
    collector = RolloutCollector(["running", "paused"])
    collector.figures = (FIGURES,)
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=page(collector), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
