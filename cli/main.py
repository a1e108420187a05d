"""The tuyen command: errors become messages and exit codes here, and nowhere else.

Exit codes: 0 fine, 1 findings or failures, 2 wrong usage or unreadable input, 130 interrupted.
"""

import inspect
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from typer.models import CommandInfo

from cli import account as account_commands
from cli import audit as audit_commands
from cli import hosts as hosts_commands
from cli import inventory as inventory_commands
from cli import lab as lab_commands
from cli import monitoring as monitoring_commands
from cli import outage as outage_commands
from cli import report as report_commands
from cli import rollout as rollout_commands
from cli import schedule as schedule_commands
from cli import state as state_commands
from cli.check import check
from cli.facts import facts
from cli.init import init
from cli.output import complain
from cli.run import run
from cli.settings import PROVINCE_VARIABLE, Settings, example
from cli.watch import watch
from inventory.finding import InventoryError
from inventory.language import _
from lab.errors import LabError
from ledger.errors import (
    LedgerAbsentError,
    LedgerDamagedError,
    LedgerError,
    LedgerNewerError,
    UnknownAccountError,
    UnknownOutageError,
    UnknownRolloutError,
    UnknownRunError,
)
from playbooks.errors import InvalidJobError, PlaybookError, UnknownJobError, UnreadablePlanError, VariableError

UNREADABLE, INTERRUPTED = 2, 130
UNREADABLE_LEDGER = (
    LedgerAbsentError,
    LedgerDamagedError,
    LedgerNewerError,
    UnknownAccountError,
    UnknownOutageError,
    UnknownRolloutError,
    UnknownRunError,
)
WRONG_JOB = (UnknownJobError, InvalidJobError, VariableError, UnreadablePlanError)
app = typer.Typer(
    name="tuyen",
    help=_("Declare, check, maintain and watch the IT infrastructure of a province's offices."),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=example("tuyen init kien-giang", "tuyen init ca-mau --small"))(init)
app.add_typer(inventory_commands.app, name="inventory")
app.command(epilog=example("tuyen check", "tuyen check under=an-bien", "tuyen check tier=commune --watch"))(check)
app.command(
    epilog=example(
        "tuyen run",
        "tuyen run baseline role=server,under=an-bien --dry-run",
        "tuyen run one-stop-agent box.dong-yen --set version=2.0 --plan-out plan.json",
        "tuyen run --plan plan.json",
    )
)(run)
app.add_typer(rollout_commands.app, name="rollout", no_args_is_help=True)
app.add_typer(hosts_commands.app, name="hosts", no_args_is_help=True)
app.command(epilog=example("tuyen facts role=server,under=an-bien"))(facts)
app.command(epilog=example("tuyen watch --listen 0.0.0.0:9733"))(watch)
app.add_typer(outage_commands.app, name="outage", no_args_is_help=True)
app.add_typer(report_commands.app, name="report", no_args_is_help=True)
app.add_typer(monitoring_commands.app, name="monitoring", no_args_is_help=True)
app.add_typer(account_commands.app, name="account", no_args_is_help=True)
app.add_typer(audit_commands.app, name="audit-log", no_args_is_help=True)
app.add_typer(schedule_commands.app, name="schedule", no_args_is_help=True)
app.add_typer(state_commands.app, name="state", no_args_is_help=True)
app.add_typer(lab_commands.app, name="lab", no_args_is_help=True)


def commands(group: typer.Typer) -> Iterator[CommandInfo]:
    """Yield every command of a group and of the groups in it; the docstrings of their callbacks are their help."""
    yield from group.registered_commands
    for inner in group.registered_groups:
        if inner.typer_instance:
            yield from commands(inner.typer_instance)


for command in commands(app):
    command.help = _(inspect.cleandoc(command.callback.__doc__ or "")) if command.callback else None


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"tuyen {version('tuyen')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    province: Annotated[
        Path | None,
        typer.Option(envvar=PROVINCE_VARIABLE, help=_("the province's folder; default: found upward from here")),
    ] = None,
    lang: Annotated[  # noqa: ARG001  (read before the commands are built, as their help is translated too)
        str | None, typer.Option(help=_("language of messages: vi or en; default: the locale's"))
    ] = None,
    show_version: Annotated[  # noqa: ARG001  (its callback answers)
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help=_("show the version and stop"))
    ] = False,
) -> None:
    """Put the global options where every command finds them."""
    context.obj = Settings(province)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except InventoryError as error:
        complain(str(error))
        sys.exit(UNREADABLE)
    except (LabError, PlaybookError) as error:
        complain(str(error))
        sys.exit(UNREADABLE if isinstance(error, WRONG_JOB) else 1)
    except LedgerError as error:
        complain(_(error.message).format_map(error.values))
        sys.exit(UNREADABLE if isinstance(error, UNREADABLE_LEDGER) else 1)
    except KeyboardInterrupt:
        complain(_("interrupted"))
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:  # a full disk, a folder that is not ours
        where = f"{error.filename}: " if error.filename else ""
        complain(f"{where}{error.strerror or error}")
        sys.exit(1)
