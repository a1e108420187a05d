"""What stops work cleanly: Ctrl-C, a request to end, a terminal that is gone; nohup outlives the last."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.rollout_drive import _stoppable
from cli.running import stopping_signals
from tests.playbooks.rolling import plan_of_waves, simulation


@pytest.fixture(autouse=True)
def as_on_a_terminal() -> Iterator[None]:
    """Whatever the tests are run by may have let them outlive a hang-up."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_rollout_is_stopped_cleanly_by(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    with simulation(tmp_path, plan_of_waves(2)) as made:
        with _stoppable(made.controller) as stopping:
            assert not stopping.is_set()
            signal.raise_signal(number)
            assert stopping.is_set()
            signal.raise_signal(signal.SIGTERM)  # a session that is closed sends both
            assert capsys.readouterr().err.count("stopping; ") == 1
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert made.run().wave == -1, "nothing was begun"
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


def test_what_nohup_started_outlives_its_terminal(tmp_path: Path) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert stopping_signals() == (signal.SIGINT, signal.SIGTERM)
    with simulation(tmp_path, plan_of_waves(2)) as made, _stoppable(made.controller) as stopping:
        signal.raise_signal(signal.SIGHUP)
        assert not stopping.is_set()
        assert made.run().wave == 0
