"""Why a question got no answer, in words that say what to look at.

ProbeError    raised inside a probe, turned into an outcome by `exporters.probes.ask`; never leaves it
"""

import asyncio
import errno
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from exporters.reading import Metric, Outcome, plain
from inventory.language import N_, _

_ANSWERED = "answered"  # the note of a silence after an answer


class ProbeError(Exception):
    """The question is settled: no, for `reason`. `asked` False when this machine is at fault, `heard` as in Outcome."""

    def __init__(
        self, reason: str, *, metrics: tuple[Metric, ...] = (), asked: bool = True, heard: bool = True
    ) -> None:
        super().__init__(reason)
        self.outcome = Outcome(False, reason, metrics=metrics, asked=asked, heard=heard and asked)


@contextmanager
def awaiting(port: int, silence: str, *, heard: bool = False) -> Iterator[None]:
    """Explain what goes wrong inside: network errors by their kind, and, should time run out here, `silence`.

    `heard` is True where the peer has answered already, if only by accepting the connection.
    """
    try:
        yield
    except asyncio.CancelledError as cancelled:
        # The timeout that cancelled us lies further out; the note tells it how far the probe had come.
        cancelled.add_note(silence)
        cancelled.add_note(_ANSWERED if heard else "")
        raise
    except TimeoutError as error:
        raise ProbeError(silence, heard=heard) from error
    except (OSError, EOFError) as error:
        raise explain(error, port) from error


def silence_of(timeout: TimeoutError) -> tuple[str, bool]:
    """Return the innermost `silence` and `heard` of the cancellation that became `timeout`; "" and False without."""
    notes: list[str] = getattr(timeout.__cause__ or timeout.__context__, "__notes__", [])
    return (notes[0], notes[1] == _ANSWERED) if len(notes) > 1 else ("", False)


# errno -> what it means; what the far side reports first, then the faults of this machine.
_FAR = {
    errno.ECONNREFUSED: N_("port {port} refuses connections: the service is not running"),
    errno.ECONNRESET: N_("port {port} breaks the connection off: the service or a firewall rejects us"),
    errno.EPIPE: N_("port {port} closes the connection before the question is out"),
    errno.EHOSTUNREACH: N_("no route to the host: a router on the way says that it is not there"),
    errno.ENETUNREACH: N_("no route to the network: look at the link and at this machine's routes"),
    errno.EHOSTDOWN: N_("the host is down: nobody on its network answers for the address"),
    errno.ETIMEDOUT: N_("no answer from port {port}: the device is off or unreachable, or a firewall drops us"),
    errno.EINVAL: N_("no route to the network: the way to it is cut off on this machine"),
}
_ALIVE = {errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE}  # somebody at the address said so
_HERE = {
    errno.EACCES: N_("this machine may not send there: a firewall rule or a prohibiting route forbids it"),
    errno.EPERM: N_("this machine may not send there: a firewall rule or a missing privilege forbids it"),
    errno.EMFILE: N_("this machine has too many files open: raise the limit (ulimit -n, LimitNOFILE=)"),
    errno.ENFILE: N_("this machine has too many files open: raise fs.file-max"),
    errno.ENOBUFS: N_("this machine has no room to send: too many packets at once"),
    errno.ENOMEM: N_("this machine is out of memory"),
    errno.EADDRNOTAVAIL: N_("this machine has no free port or address left to ask from"),
}


def explain(error: OSError | EOFError, port: int) -> ProbeError:
    """Return the failure that `error` on `port` stands for."""
    if isinstance(error, EOFError):
        return ProbeError(_("port {port} closes the connection before it has answered").format(port=port))
    if isinstance(error, ssl.SSLError):
        return ProbeError(_tls_reason(error, port))
    number = error.errno or 0
    if number in _HERE:
        return ProbeError(_(_HERE[number]), asked=False)
    if number in _FAR:
        return ProbeError(_(_FAR[number]).format(port=port), heard=number in _ALIVE)
    if isinstance(error, ConnectionError):  # asyncio raises some without a number
        return explain(ConnectionResetError(errno.ECONNRESET, ""), port)
    return ProbeError(_("port {port}: {error}").format(port=port, error=plain(str(error))), heard=False)


def _tls_reason(error: ssl.SSLError, port: int) -> str:
    detail = plain((error.reason or str(error)).replace("_", " ").lower())
    if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_EOF_WHILE_READING"}:
        return _("port {port} answers, but not in TLS ({detail})").format(port=port, detail=detail)
    return _("no TLS with port {port}: {detail}").format(port=port, detail=detail)
