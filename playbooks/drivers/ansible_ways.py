"""Where on the way to a device it failed: with shared sessions ssh drops what its jump hosts said, so we ask again."""

from concurrent.futures import Future, ThreadPoolExecutor

from playbooks.errors import ReachError
from playbooks.target import Target


class Ways:
    """Asks the ways to some devices, at the same time, while the others are still being worked on."""

    def __init__(self, parallel: int) -> None:
        self._pool = ThreadPoolExecutor(max(1, parallel), "ways")
        self._asked: dict[str, Future[str]] = {}

    def ask(self, target: Target) -> None:
        """Begin to ask, hop by hop; a way without jump hosts has nothing to tell."""
        if target.jumps and target.id not in self._asked:
            self._asked[target.id] = self._pool.submit(_fault, target)

    def fault(self, device: str) -> str:
        """Return why the way to a device cannot be gone, "" when it can or was not asked; waits for the answer."""
        return self._asked[device].result() if device in self._asked else ""


def _fault(target: Target) -> str:
    from playbooks.connection import dial  # takes a third of a second, and is needed when something is wrong only

    try:
        dial(target.login, target.jumps, target.known_hosts).close()
    except ReachError as error:
        return str(error)
    return ""
