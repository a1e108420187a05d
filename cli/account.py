"""`tuyen account`: who may log in to the status page, and the tokens by which programs get in."""

import sys
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cli import account_token
from cli.account_token import PersonArgument, may_manage, opened
from cli.moments import local
from cli.output import complain, print_json, print_table, say
from cli.settings import Format, FormatOption, example
from inventory.language import N_, _

if TYPE_CHECKING:
    from inventory.model import Province
    from ledger.accounts import Account

app = typer.Typer(help=_("Who may log in to the status page, and the tokens by which programs get in."))
app.add_typer(account_token.app, name="token", no_args_is_help=True)
COLUMNS = {
    "person": N_("PERSON"),
    "name": N_("NAME"),
    "is": N_("STATE"),
    "changed": N_("PASSWORD SET"),
}
StdinOption = Annotated[bool, typer.Option("--password-stdin", help=_("read the password from standard input"))]


@app.command(
    epilog=example("tuyen account add nguyen-hoang-nam", "pass show tuyen | tuyen account add x --password-stdin")
)
def add(context: typer.Context, person: PersonArgument, password_stdin: StdinOption = False) -> None:
    """Give a person of people.yaml an account; asks for its password."""
    from exporters.access.passwords import hashed
    from ledger import accounts

    with opened(context) as (province, ledger):
        who = may_manage(province, person)
        _check_known(province, person)
        accounts.add(ledger, person, hashed(_password(person, password_stdin)), actor=who)
    say(_("{person} may log in").format(person=person))


@app.command(epilog=example("tuyen account passwd nguyen-hoang-nam"))
def passwd(context: typer.Context, person: PersonArgument, password_stdin: StdinOption = False) -> None:
    """Set a new password, and log this person out everywhere. Their tokens stay: revoke those that are not needed."""
    from exporters.access.passwords import hashed
    from ledger import accounts

    with opened(context) as (province, ledger):
        who = may_manage(province, person)
        accounts.set_password(ledger, person, hashed(_password(person, password_stdin)), actor=who)
    say(_("{person} has a new password, and is logged out everywhere").format(person=person))


@app.command("list", epilog=example("tuyen account list"))
def list_accounts(context: typer.Context, form: FormatOption = Format.TABLE) -> None:
    """List who may log in."""
    from ledger.accounts import accounts

    with opened(context) as (province, ledger):
        now, found = ledger.clock(), accounts(ledger)
    if form is Format.JSON:
        print_json([_item(province, one) for one in found])
        return
    from ledger.records import stamp

    zone = ZoneInfo(province.time_zone)
    print_table(COLUMNS, [_row(province, one, stamp(now), zone) for one in found])


@app.command(epilog=example("tuyen account disable nguyen-hoang-nam"))
def disable(context: typer.Context, person: PersonArgument) -> None:
    """Close an account: log this person out everywhere, and let neither password nor tokens in."""
    from ledger import accounts

    with opened(context) as (province, ledger):
        accounts.disable(ledger, person, actor=may_manage(province, person))
    say(_("{person} may not log in any more").format(person=person))


@app.command(epilog=example("tuyen account enable nguyen-hoang-nam"))
def enable(context: typer.Context, person: PersonArgument) -> None:
    """Open an account again that was closed, or locked after wrong passwords."""
    from ledger import accounts

    with opened(context) as (province, ledger):
        accounts.enable(ledger, person, actor=may_manage(province, ""))  # who was shut out does not open for themselves
    say(_("{person} may log in").format(person=person))


def _check_known(province: "Province", person: str) -> None:
    from inventory.nearest import nearest

    if person not in province.people:
        near = nearest(person, province.people)
        raise typer.BadParameter(
            _("'{name}' is not in people.yaml; write {near}").format(name=person, near=near), param_hint="PERSON"
        )


def _password(person: str, from_stdin: bool) -> str:
    """Return a new password: from standard input, or typed twice without being shown. Exit code 1 for a bad one."""
    from exporters.access.passwords import refusal

    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = typer.prompt(_("new password"), hide_input=True, confirmation_prompt=True, err=True)
    else:
        raise typer.BadParameter(_("there is no terminal to ask on; add --password-stdin"))
    if why := refusal(person, password):
        complain(why)
        raise typer.Exit(1)
    return str(password)


def _item(province: "Province", account: "Account") -> dict[str, Any]:
    known = province.people.get(account.person)
    return {
        "person": account.person,
        "name": known.name if known else "",
        "in_people": known is not None,
        "created": account.created,
        "changed": account.changed,
        "failures": account.failures,
        "locked_until": account.locked_until,
        "disabled": account.disabled,
    }


def _row(province: "Province", account: "Account", now: str, zone: ZoneInfo) -> dict[str, str]:
    item = _item(province, account)
    return {**item, "changed": local(account.changed, zone), "is": _state(item, now, zone)}


def _state(item: dict[str, Any], now: str, zone: ZoneInfo) -> str:
    if not item["in_people"]:
        return _("not in people.yaml any more, so not let in")
    if item["disabled"]:
        return _("closed")
    if item["locked_until"] and item["locked_until"] > now:
        return _("locked until {time}").format(time=local(item["locked_until"], zone))
    return _("open")
