"""Telling people, through the services that their `notify` of people.yaml names. apprise delivers.

Delivering never holds anybody up: it happens in a thread of its own, and what cannot be delivered is logged.
"""

import contextlib
import logging
import queue
import threading
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote, urlencode

from inventory.language import _
from inventory.model import Person

log = logging.getLogger("tuyen.notify")
RELAY = "localhost:25"  # the mail server that takes what a plain `mailto:` address is to get
_MOST_WAITING = 1000  # messages


class Message(NamedTuple):
    """What is told to whom: `addresses` as people.yaml has them."""

    addresses: tuple[str, ...]
    title: str
    text: str


def addresses_of(people: Iterable[Person]) -> tuple[str, ...]:
    """Return how these people want to be told, each address once."""
    return tuple(dict.fromkeys(address for person in people for address in person.notify))


def service_url(address: str, relay: str, sender: str) -> str:
    """Return apprise's URL of an address; a plain `mailto:name@domain` goes through the mail server `relay`."""
    scheme, _colon, rest = address.partition(":")
    if scheme.lower() != "mailto" or rest.startswith("//"):
        return address
    told = {"from": sender, "to": rest.partition("?")[0], "mode": "insecure", "format": "text"}
    return f"mailto://{relay}/?{urlencode(told, quote_via=quote)}"


class Notifier:
    """Delivers messages one after the other. `close` waits a little for those that are still on their way."""

    def __init__(self, *, sender: str, relay: str = RELAY) -> None:
        self._sender, self._relay = sender, relay
        self._waiting: queue.Queue[Message | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._deliver_all, name="notify", daemon=True)
        self._thread.start()

    def tell(self, message: Message) -> None:
        """Take a message, and return at once."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(message)
            return
        log.error(_("'%s' is told to nobody: too many messages wait"), message.title)

    def close(self, seconds: float = 15.0) -> None:
        """Deliver what was taken, for so many seconds at most."""
        try:
            self._waiting.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def _deliver_all(self) -> None:
        while (message := self._waiting.get()) is not None:
            for address in message.addresses:
                self._deliver(address, message)

    def _deliver(self, address: str, message: Message) -> None:
        if not deliver(service_url(address, self._relay, self._sender), message.title, message.text):
            log.error(_("'%s' could not be told to %s"), message.title, shown(address))


def deliver(url: str, title: str, text: str) -> bool:
    """Tell one service, and say whether it took it."""
    from apprise import Apprise, NotifyFormat

    logging.getLogger("apprise").setLevel(logging.WARNING)  # that all went well is not worth a line each time
    service = Apprise()
    try:
        return bool(service.add(url)) and bool(service.notify(body=text, title=title, body_format=NotifyFormat.TEXT))
    except (OSError, ValueError, TypeError) as error:  # apprise's plugins let some of those through
        log.warning("%s", type(error).__name__)
        return False


def shown(address: str) -> str:
    """Return an address without what may be a secret: a service's URL often holds a token."""
    scheme, _colon, rest = address.partition(":")
    return f"{scheme}://..." if rest.startswith("//") else address
