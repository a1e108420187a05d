"""The device's side of bringing a file: what is there, making room for it, and putting it in its place when whole."""

import re
import shlex
from typing import NamedTuple

from inventory.language import _
from playbooks.connection import Connection
from playbooks.errors import PlaybookError
from playbooks.parcel import Parcel

_HASHING = 600.0  # seconds, for a big file on a slow disk

_LOOK = r"""
folder=$(dirname "$FILE")
if [ -d "$FILE" ]; then echo kind folder; elif [ -f "$FILE" ]; then
    echo kind file
    echo digest "$(sha256sum <"$FILE" | cut -d ' ' -f 1)"
    echo mode "$(stat -c %a "$FILE")"
    echo owner "$(stat -c %U:%G "$FILE")"
    echo size "$(stat -c %s "$FILE")"
fi
[ -d "$folder" ] && echo folder yes
[ -w "$folder" ] && echo writable yes
[ -f "$PART" ] && echo part "$(stat -c %s "$PART")"
echo room "$(df -B 1 --output=avail "$folder" 2>/dev/null | tail -n 1 | tr -d ' ')"
id -u "${OWNER%%:*}" >/dev/null 2>&1 && echo account yes
case $OWNER in *:*) getent group "${OWNER#*:}" >/dev/null 2>&1 && echo group yes ;; *) echo group yes ;; esac
true
"""
_OPEN = """
umask 077
[ -f "$PART" ] || { rm -rf "$PART" && : >"$PART"; } || exit 1
chown "$ACCOUNT" "$PART" && chmod 0600 "$PART" || exit 1
stat -c %s "$PART"
split -b "$BLOCK" --filter=sha256sum "$PART" | cut -d ' ' -f 1
"""
_CUT = """
truncate -s "$LENGTH" "$PART"
"""
_FINISH = r"""
sync "$PART" || exit 3
[ "$(sha256sum <"$PART" | cut -d ' ' -f 1)" = "$DIGEST" ] || { rm -f "$PART"; exit 4; }
chown "$OWNER" "$PART" && chmod "$MODE" "$PART" && mv -fT "$PART" "$FILE" && sync "$FILE" "$(dirname "$FILE")" || exit 5
rm -f "$FILE".part-????????????????
"""
_DRESS = """
chown "$OWNER" "$FILE" && chmod "$MODE" "$FILE"
"""


class PlaceError(PlaybookError):
    """The device cannot take the file; the message says why."""


class Place(NamedTuple):
    """What is on the device. `digest` is "" without the file, `arrived` counts the bytes of an unfinished one."""

    digest: str
    size: int
    mode: str
    owner: str
    arrived: int

    def dressed(self, parcel: Parcel) -> bool:
        """Whether mode and owner are as they should be; a group counts where one is declared."""
        owner = self.owner if ":" in parcel.owner else self.owner.partition(":")[0]
        return self.mode.zfill(4) == parcel.mode and owner == parcel.owner


def look(connection: Connection, parcel: Parcel) -> Place:
    """Tell what is there, changing nothing. Raises ReachError, and PlaceError when the file cannot be put there."""
    told = _ask(connection, _LOOK, FILE=parcel.path, PART=parcel.part, OWNER=parcel.owner)
    found = dict(line.split(" ", 1) for line in told.splitlines() if " " in line)
    place = Place(
        digest=found.get("digest", ""),
        size=_number(found.get("size")),
        mode=found.get("mode", ""),
        owner=found.get("owner", ""),
        arrived=min(_number(found.get("part")), parcel.size),
    )
    _require(parcel, place, found)
    return place


def _require(parcel: Parcel, place: Place, found: dict[str, str]) -> None:
    folder = parcel.path.rpartition("/")[0] or "/"
    if found.get("kind") == "folder":
        raise PlaceError(_("{path} is a folder there; write the file's full name").format(path=parcel.path))
    if "folder" not in found:
        raise PlaceError(_("there is no folder {folder} on the device").format(folder=folder))
    if place.digest != parcel.digest and "writable" not in found:
        raise PlaceError(_("{folder} is read-only on the device").format(folder=folder))
    if "account" not in found or "group" not in found:
        raise PlaceError(_("the device has no account or group '{owner}'").format(owner=parcel.owner))
    need, room = parcel.size - place.arrived, _number(found.get("room"))
    if place.digest != parcel.digest and need > room:
        raise no_room(parcel, need, room)


def no_room(parcel: Parcel, need: int, room: int) -> PlaceError:
    """Tell that the device's disk is too full."""
    told = _("the disk is full: {path} needs {need} bytes more, and {room} are free")
    return PlaceError(told.format(path=parcel.path, need=need, room=room))


def open_part(connection: Connection, parcel: Parcel) -> int:
    """Make the unfinished file ours, and return how many bytes of it are right. Raises ReachError, PlaceError."""
    told = _ask(connection, _OPEN, PART=parcel.part, BLOCK=str(parcel.block), ACCOUNT=connection.login.user)
    arrived, *digests = told.split()
    right = parcel.matching(int(arrived), digests)
    _ask(connection, _CUT, PART=parcel.part, LENGTH=str(right))
    return right


def finish(connection: Connection, parcel: Parcel) -> None:
    """Put the whole file in its place, if its digest is right. Raises ReachError, PlaceError."""
    values = {"FILE": parcel.path, "PART": parcel.part, "DIGEST": parcel.digest}
    _ask(connection, _FINISH, **values, MODE=parcel.mode, OWNER=parcel.owner)


def dress(connection: Connection, parcel: Parcel) -> None:
    """Give the file that is in its place its mode and owner. Raises ReachError, PlaceError."""
    _ask(connection, _DRESS, FILE=parcel.path, MODE=parcel.mode, OWNER=parcel.owner)


def _ask(connection: Connection, script: str, **values: str) -> str:
    given = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    script = f"export LC_ALL=C\n{given}{script}"
    answer = connection.run_as_root("sh -s", stdin=script.encode(), patience=_HASHING)
    if not answer.ok:
        raise PlaceError(_reason(answer.code, answer.err))
    return answer.out


def _reason(code: int, said: str) -> str:
    if code == 4:
        return _("what arrived has another SHA-256 than what was sent, and was thrown away; run it again")
    if "No space left" in said:
        return _("the disk is full")
    if "Read-only" in said:
        return _("the disk is read-only")
    words = re.sub(r"[^ -~\u00a0-\uffff]+", " ", said).strip()[-200:]
    return _("the device cannot take the file: {reason}").format(reason=words or _("code {code}").format(code=code))


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
