"""Files that are replaced whole or not at all, after a check of the new content."""

import hashlib
import posixpath

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import operation
from pyinfra.context import host

from playbooks.drivers.pyinfra_commands import Commands, FileWrite

_ABSENT = ("", "", "")


class FileState(FactBase[tuple[str, str, str]]):
    """Mode ("644"), owner and SHA-256 of a file; empty where there is none."""

    def command(self, path: str) -> StringCommand:
        """Return what asks for it."""
        quoted = QuoteString(path)
        return StringCommand(
            "if", "test", "-f", quoted, ";", "then", "stat", "-Lc", "'%a %U'", quoted, "&&", "sha256sum", "<", quoted,
            ";", "fi",
        )  # fmt: skip

    def process(self, output: list[str]) -> tuple[str, str, str]:
        """Return what was answered."""
        if len(output) != 2:
            return _ABSENT
        mode, _space, owner = output[0].partition(" ")
        return mode, owner, output[1].split()[0]

    @staticmethod
    def default() -> tuple[str, str, str]:
        """Return what no answer means."""
        return _ABSENT


@operation()
def written(content: str, path: str, check: str = "", mode: str = "644", owner: str = "root") -> Commands:
    """Let `path` hold `content`. `check` is a shell command that reads the new file as $new and refuses a wrong one."""
    yield from write(content, path, check, mode, owner)


def write(content: str, path: str, check: str = "", mode: str = "644", owner: str = "root") -> Commands:
    """Yield what lets `path` hold `content`, for operations."""
    raw = content.encode()
    state = host.get_fact(FileState, path=path)
    if state[2] != hashlib.sha256(raw).hexdigest():
        yield FileWrite(path, raw, _script(path, check, mode, owner))
    elif state[:2] != (mode, owner):
        quoted = QuoteString(path)
        yield StringCommand("chmod", mode, quoted, "&&", "chown", f"{owner}:", quoted)


@operation()
def removed(path: str) -> Commands:
    """Let there be no file `path`."""
    if host.get_fact(FileState, path=path) != _ABSENT:
        yield StringCommand("rm", "-f", QuoteString(path))


def _script(path: str, check: str, mode: str, owner: str) -> StringCommand:
    """Return what writes a new file beside the old one, private at first, and puts it there only if all went well."""
    steps = [
        f'chmod {mode} "$new"',
        f'chown {owner}: "$new"',
        *filter(None, [check]),
        'sync "$new"',
        'mv -f "$new" "$file"',
    ]
    folder, new = posixpath.dirname(path), f"{path}.tuyen-new"
    return StringCommand(
        StringCommand("file=", QuoteString(path), _separator=""),
        StringCommand("new=", QuoteString(new), _separator=""),
        ";", "mkdir", "-p", QuoteString(folder), "&&", "(", "umask", "077", "&&", "base64", "-d", ">", '"$new"', ")",
        "&&", " && ".join(steps), "||", "{", "rm", "-f", '"$new"', ";", "exit", "1", ";", "}",
    )  # fmt: skip
