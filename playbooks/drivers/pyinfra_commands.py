"""What pyinfra's commands would do, as text for a plan: unified diffs of files, commands as they would run."""

import base64
import binascii
import difflib
import hashlib
from collections.abc import Generator, Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

from pyinfra.api.command import FileUploadCommand, FunctionCommand, PyinfraCommand, QuoteString, StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.host import Host

Commands = Generator[PyinfraCommand, None, None]  # what operations are
_LARGEST = 262_144  # bytes of a file that are compared line by line
_MISSING = "missing"


class SilentCommand(StringCommand):
    """A command whose answer is in no log: it may hold secrets in a form that no mask knows."""


class FileBytes(FactBase[bytes | None]):
    """The first bytes of a file as it is now, or None where there is none."""

    def command(self, path: str) -> StringCommand:
        """Return what asks for it: base64, since a file may hold anything."""
        quoted = QuoteString(path)
        return SilentCommand(
            "if", "test", "-e", quoted, ";", "then", "head", "-c", str(_LARGEST + 1), quoted, "|", "base64", ";",
            "else", "echo", _MISSING, ";", "fi",
        )  # fmt: skip

    def process(self, output: list[str]) -> bytes | None:
        """Return what was answered."""
        try:
            return None if output == [_MISSING] else base64.b64decode("".join(output), validate=True)
        except binascii.Error:
            return b""

    @staticmethod
    def default() -> bytes | None:
        """Return what no answer means: an empty file."""
        return b""


class FileWrite(StringCommand):
    """A command that replaces the file `path` by `content`, which it reads from its stdin as base64."""

    def __init__(self, path: str, content: bytes, *bits: Any) -> None:
        """Take the command's `bits`; the content is in no command line, where others on the device could read it."""
        super().__init__(*bits, _stdin=base64.b64encode(content).decode())
        self.path, self.content = path, content


def foreseeable(command: PyinfraCommand) -> bool:
    """Whether what `command` does is known before it runs; a function may do anything."""
    return not isinstance(command, FunctionCommand)


def shown(command: PyinfraCommand, host: Host) -> str:
    """Return what `command` would do to `host`, which is asked for the file that would be replaced."""
    if isinstance(command, FileWrite):
        return file_diff(command.path, host.get_fact(FileBytes, path=command.path), command.content)
    if isinstance(command, FileUploadCommand):
        present = host.get_fact(FileBytes, path=command.dest)
        return file_diff(command.dest, present, _content(command.src))
    return f"$ {command}"


def file_diff(path: str, present: bytes | None, wanted: bytes) -> str:
    """Return the unified diff that turns `present` (None: no file) into `wanted`."""
    before, after = _lines(present or b""), _lines(wanted)
    if before is None or after is None:
        size, digest = len(wanted), hashlib.sha256(wanted).hexdigest()
        return f"--- {path}\n+++ {path}\nbinary or large: {size} bytes, sha256 {digest}"
    old = "/dev/null" if present is None else path
    return "\n".join(_ended(difflib.unified_diff(before, after, old, path))).rstrip("\n")


def _content(source: Any) -> bytes:
    if isinstance(source, StringIO):
        return source.getvalue().encode()
    if isinstance(source, str | Path):
        return Path(source).read_bytes()
    source.seek(0)
    content: str | bytes = source.read()
    source.seek(0)
    return content.encode() if isinstance(content, str) else content


def _lines(content: bytes) -> list[str] | None:
    """Return the lines of a text, or None for what nobody would read."""
    if len(content) > _LARGEST or b"\0" in content:
        return None
    return content.decode("utf-8", "replace").splitlines(keepends=True)


def _ended(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if line.endswith("\n"):
            yield line[:-1]
        else:
            yield f"{line}\n\\ No newline at end of file" if line[:1] in "+- " else line
