"""The Linux side of gear: files that are read, compared, put in place whole, and the services that read them."""

import base64
import difflib
import shlex
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from inventory.language import _
from playbooks.connection import Connection
from playbooks.gear.capabilities import File
from playbooks.gear.errors import RejectedError
from playbooks.gear.untrusted import first_line, plain

_PATIENCE = 60.0  # seconds
_READ = """for file in {paths}; do
if [ -f "$file" ]; then echo "$file $(stat -c '%a %U:%G' "$file") $(base64 -w0 "$file")"; else echo "$file"; fi; done"""
# The candidate lies beside the file, so that putting it in place is one rename; owner and mode first.
_PUT = """set -e; umask 077; mkdir -p {folder}; trap 'rm -f {new}' EXIT; cat > {new}
chmod {mode} {new}; chown {owner} {new}; set -- {new}; {check}
sync -f {new}; mv -f {new} {path}"""


class Held(NamedTuple):
    """A file as it is on a device; `text` is None where there is none. `mode` is octal, `owner` user:group."""

    text: str | None
    mode: str = "0644"
    owner: str = "root:root"


def read_files(connection: Connection, paths: Iterable[str]) -> dict[str, Held]:
    """Return how files are on the device, by path. Raises ReachError, RejectedError."""
    wanted = list(paths)
    if not wanted:
        return {}
    answer = connection.run_as_root(_READ.format(paths=" ".join(map(shlex.quote, wanted))), patience=_PATIENCE)
    held = {line.split(" ", 1)[0]: _held(line) for line in answer.out.splitlines()}
    if not answer.ok or set(held) != set(wanted):
        raise RejectedError(_("its files cannot be read: {reason}").format(reason=first_line(answer.err)))
    return held


def _held(line: str) -> Held:
    words = line.split(" ")
    if len(words) == 1:
        return Held(None)
    _path, mode, owner, content = words
    return Held(base64.b64decode(content).decode("utf-8", "replace"), mode.zfill(4), owner)


def put_file(connection: Connection, file: File, wanted: Held) -> None:
    """Put a file in place, or away where it has no text; what its check refuses is not. Raises RejectedError."""
    path = shlex.quote(file.path)
    if wanted.text is None:
        command = f"rm -f {path}"
    else:
        new = shlex.quote(f"{file.path}.tuyen-new")
        folder = shlex.quote(file.path.rpartition("/")[0])
        command = _PUT.format(
            folder=folder, new=new, mode=wanted.mode, owner=wanted.owner, check=file.check or "true", path=path
        )
    answer = connection.run_as_root(command, stdin=(wanted.text or "").encode(), patience=_PATIENCE)
    if not answer.ok:
        told = _("{path} was refused and is as it was: {reason}")
        raise RejectedError(told.format(path=file.path, reason=first_line(answer.err or answer.out)))


def run_all(connection: Connection, commands: Iterable[str]) -> None:
    """Run commands as root, each once, in order. Raises RejectedError with the one that failed."""
    for command in dict.fromkeys(commands):
        answer = connection.run_as_root(command, patience=_PATIENCE)
        if not answer.ok:
            reason = first_line(answer.err or answer.out) or _("exit code {code}").format(code=answer.code)
            raise RejectedError(_("'{command}' failed: {reason}").format(command=command, reason=reason))


def differing(held: Mapping[str, Held], files: Mapping[File, str]) -> dict[File, str]:
    """Return those of `files` that are not yet so on the device, in order."""
    return {
        file: text for file, text in files.items() if held[file.path].text != text or held[file.path].mode != file.mode
    }


def difference(before: Held, after: Held, path: str) -> str:
    """Return the unified diff of a file; its mode in the headings where that changes."""
    old, new = ((held.text or "").splitlines(keepends=True) for held in (before, after))
    was, becomes = (f"{path} ({held.mode})" if before.mode != after.mode else path for held in (before, after))
    lines = list(difflib.unified_diff(old, new, was, becomes)) or [f"--- {was}", f"+++ {becomes}"]
    return plain("".join(line if line.endswith("\n") else f"{line}\n" for line in lines))
