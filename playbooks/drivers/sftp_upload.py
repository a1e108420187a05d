"""Sending what is missing of a file over an open session, by SFTP, little at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

import paramiko

from inventory.language import _
from playbooks.connection import Connection
from playbooks.drivers.sftp_place import PlaceError, look
from playbooks.errors import PlaybookError
from playbooks.pace import Pace
from playbooks.parcel import Parcel
from playbooks.refusal import unanswered, went_away
from playbooks.traffic import Traffic

STALL = 20.0  # seconds without an acknowledgement, then the session is given up
_CHUNK = 16 * 1024  # bytes a request; every SFTP server takes twice as much


@dataclass
class Tally:
    """What bringing one file has cost, over all attempts. `traffic` is TCP's, to the nearest machine on the way."""

    payload: int = 0  # bytes of the file that were handed to SFTP, those lost in cuts included
    sessions: int = 0
    traffic: Traffic = field(default_factory=Traffic)


def send(
    connection: Connection,
    parcel: Parcel,
    start: int,
    *,
    pace: Pace,
    stop: Event,
    tally: Tally,
    arrived: Callable[[int], None],
) -> None:
    """Send the file from byte `start`; `arrived` hears how many bytes are there. Raises ReachError, PlaceError.

    Returns early when `stop` is set.
    """
    before = tally.traffic
    try:
        with connection.sftp(STALL) as files, parcel.source.open("rb") as source:
            remote = files.open(parcel.part, "r+b")
            remote.seek(start)
            source.seek(start)
            while (window := source.read(parcel.window)) and not stop.is_set():
                pace.wait(len(window), stop)
                tally.payload += len(window)
                _write(remote, window)
                tally.traffic = before + connection.traffic()
                arrived(remote.tell())
            remote.close()
    except TimeoutError as error:
        raise unanswered(connection.login, STALL) from error
    except (paramiko.SSHException, EOFError) as error:
        raise went_away(connection.login) from error
    except OSError as error:
        raise _refused(connection, parcel, error) from error
    finally:
        tally.traffic = before + connection.traffic()


def _write(remote: paramiko.SFTPFile, window: bytes) -> None:
    """Write a window without waiting between its pieces, then wait until the device has taken all of them.

    The last write, which is not pipelined, collects the answers to those before it.
    """
    pieces = [window[begin : begin + _CHUNK] for begin in range(0, len(window), _CHUNK)]
    remote.set_pipelined(True)
    for piece in pieces[:-1]:
        remote.write(piece)
    remote.set_pipelined(False)
    remote.write(pieces[-1])


def _refused(connection: Connection, parcel: Parcel, error: OSError) -> PlaybookError:
    """Tell a broken session from a file that the device does not let us write: SFTP has no word for a full disk."""
    if not connection.alive:
        return went_away(connection.login)
    try:
        look(connection, parcel)
    except PlaybookError as reason:
        return reason
    return PlaceError(_("the device does not let us write: {reason}").format(reason=error.strerror or error))
