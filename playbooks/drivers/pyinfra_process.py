"""The child process in which pyinfra works, as its parent has it: orders go to its stdin, its words come by a pipe."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playbooks.batch import Batch
from playbooks.mask import Mask

LOG = "pyinfra.log"  # what the child prints: nothing, unless it breaks
GRACE = 5.0  # seconds to finish the operations in hand
_HERE = Path(__file__).parents[2]


class Process:
    """pyinfra, loaded. `heard` is the descriptor on which it speaks; what it prints goes to LOG, masked."""

    def __init__(self, batch: Batch) -> None:
        """Start it; it holds the batch's locks as long as it lives. Raises OSError."""
        self.heard, said = os.pipe()
        paths = os.pathsep.join([str(_HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
        try:
            self._child = subprocess.Popen(
                batch.child([sys.executable, "-P", "-m", "playbooks.drivers.pyinfra_child", str(said)]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(said, *batch.locks),
                start_new_session=True,
                cwd="/",
                env={**os.environ, "PYTHONPATH": paths, "PYTHONUTF8": "1"},
            )
        except OSError:
            os.close(self.heard)
            raise
        finally:
            os.close(said)
        self._keeping = threading.Thread(target=self._keep_printed, args=(batch.folder / LOG, batch.mask))
        self._keeping.start()

    @property
    def alive(self) -> bool:
        """Whether it is still there."""
        return self._child.poll() is None

    def order(self, order: Mapping[str, Any]) -> None:
        """Hand an order over; that it has died will be told when its words are missed."""
        assert self._child.stdin
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.write(json.dumps(order).encode() + b"\n")
            self._child.stdin.flush()

    def ask_to_end(self) -> None:
        """Let it end after the operations in hand."""
        self._child.send_signal(signal.SIGTERM)

    def end(self, patience: float = GRACE) -> int:
        """Let it end, or end it with whatever it may have started; return its exit code."""
        assert self._child.stdin
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(patience)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        code = self._child.wait()
        self._keeping.join()
        self._child.stdout.close()  # type: ignore[union-attr]
        os.close(self.heard)
        return code

    def close(self) -> None:
        """End it, idle as it is."""
        self.end()

    def _keep_printed(self, printed: Path, mask: Mask) -> None:
        assert self._child.stdout
        with printed.open("a", encoding="utf-8") as log:
            for line in self._child.stdout:
                log.write(mask(line.decode("utf-8", "replace")))
