"""Live progress of a run: how many devices are done, and what is being done to those that are not."""

import threading
from typing import TYPE_CHECKING, Any, Self

from cli.output import console, safe

if TYPE_CHECKING:
    from playbooks.event import Event

MOST = 8  # devices shown at work


class Board:
    """Hears every event from any thread; draws only where standard error is a terminal."""

    def __init__(self, wanted: bool, total: int) -> None:
        """Take whether to draw at all, and the number of devices."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        screen = console(stderr=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._progress: Any = Progress(
            *columns, TimeElapsedColumn(), console=screen, transient=True, disable=not (wanted and screen.is_terminal)
        )
        self._total = total
        self._turn = threading.Lock()
        self._lines: dict[str, Any] = {}
        self._done: set[str] = set()

    def start(self, title: str, total: int | None = None) -> None:
        """Begin something with all devices, or with so many of them."""
        self._stop_lines()
        self._done.clear()
        self._bar = self._progress.add_task(title, total=self._total if total is None else total)
        self._progress.start()

    def pause(self) -> None:
        """Leave the screen to others."""
        self._stop_lines()
        self._progress.stop()

    def _stop_lines(self) -> None:
        for task in list(self._progress.task_ids):
            self._progress.remove_task(task)
        self._lines.clear()

    def hear(self, event: "Event") -> None:
        """Take in an event."""
        from playbooks.event import Doing, Done

        with self._turn:
            if isinstance(event, Doing):
                self._show(event.device, event.what)
            elif isinstance(event, Done):
                self._done.add(event.device)  # a device may have several steps
                self._progress.update(self._bar, completed=len(self._done))
                if (line := self._lines.pop(event.device, None)) is not None:
                    self._progress.remove_task(line)

    def _show(self, device: str, what: str) -> None:
        text = f"  {device}: {safe(what)[:70]}"
        if device in self._lines:
            self._progress.update(self._lines[device], description=text)
        elif len(self._lines) < MOST:
            self._lines[device] = self._progress.add_task(text, total=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.pause()
