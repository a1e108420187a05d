"""What commands print: tables for people, one JSON object for programs, complaints on standard error."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cli.settings import Format
from exporters.page.words import STATES
from inventory.language import _

JSON_SCHEMA = 1
STYLES: Mapping[str, str] = {
    "up": "green",
    "degraded": "yellow",
    "down": "bold red",
    "unreachable": "magenta",
    "unknown": "dim",
    "maintenance": "cyan",
}


def safe(text: object) -> str:
    """Return text without control and format characters: what devices and files say must not drive a terminal."""
    return "".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in str(text))


def print_json(items: Sequence[Mapping[str, Any]], **extra: object) -> None:
    """Print `{"schema": 1, "items": [...]}`, the stable form for programs."""
    json.dump({"schema": JSON_SCHEMA, **extra, "items": items}, sys.stdout, ensure_ascii=False, indent=1, default=str)
    sys.stdout.write("\n")


def print_table(columns: Mapping[str, str], items: Iterable[Mapping[str, Any]], *, title: str = "") -> None:
    """Print items as a table; `columns` maps their keys to headings (N_). No colours and no frame when piped."""
    from rich.table import Table

    table = Table(title=title or None, box=None, pad_edge=False, header_style="bold", title_justify="left")
    for key, heading in columns.items():
        table.add_column(_(heading), overflow="fold", no_wrap=key in ("state", "id", "address"))
    for item in items:
        table.add_row(*(_cell(key, item.get(key)) for key in columns))
    screen = console()
    if sys.stdout.isatty():
        screen.print(table)
        return
    with screen.capture() as printed:
        screen.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in printed.get().splitlines())


def _cell(key: str, value: object) -> Any:
    """Return one cell; a state is coloured, and said in the user's language."""
    from rich.text import Text

    if isinstance(value, Text):
        return value
    if key == "state" and str(value) in STATES:
        return Text(_(STATES[str(value)]), style=STYLES[str(value)])
    return Text("" if value is None else safe(value))


def console(*, stderr: bool = False) -> Any:
    """Return a console for standard output; wide when piped, so that no line is folded."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else 500, emoji=False, markup=False)


def show(form: Format, columns: Mapping[str, str], items: Sequence[Mapping[str, Any]]) -> None:
    """Print items in the form that the user asked for."""
    if form is Format.JSON:
        print_json(items)
    else:
        print_table(columns, items)


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(safe(text) + "\n")
    sys.stdout.flush()  # in order with what processes of ours print


def complain(text: str) -> None:
    """Print lines on standard error."""
    for line in text.split("\n"):
        sys.stderr.write(safe(line) + "\n")


def agreed(question: str) -> bool:
    """Ask on standard error, and return whether the answer is yes. Exit code 2 where nobody is there to answer."""
    import typer

    try:
        return typer.confirm(question, err=True)
    except typer.Abort as error:
        sys.stderr.write("\n")  # the question's line was left open
        if sys.stdin.isatty():
            raise KeyboardInterrupt from error
        complain(_("there is nobody here to ask: add --yes"))
        raise typer.Exit(2) from error
