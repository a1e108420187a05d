"""`tuyen account token`: how programs get in to the interface for programs, in the name of a person."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cli.moments import local, minutes, moment
from cli.output import complain, print_json, print_table, say
from cli.settings import Format, FormatOption, example, settings
from inventory.language import N_, _

if TYPE_CHECKING:
    from inventory.model import Province
    from ledger.connection import Ledger
    from ledger.records import Actor
    from ledger.tokens import Token

app = typer.Typer(help=_("Tokens, by which programs ask in the name of a person."))
COLUMNS = {
    "id": N_("ID"),
    "person": N_("PERSON"),
    "label": N_("LABEL"),
    "expires": N_("EXPIRES"),
    "last_used": N_("LAST USED"),
    "is": N_("STATE"),
}
PersonArgument = Annotated[str, typer.Argument(metavar="PERSON", help=_("an account of people.yaml"))]


@app.command(epilog=example("tuyen account token create nguyen-hoang-nam --label 'wall board' --expires 365d"))
def create(
    context: typer.Context,
    person: PersonArgument,
    label: Annotated[str, typer.Option(help=_("what it is for"))],
    expires: Annotated[str, typer.Option(help=_("day and time, or in how long (12h, 90d)"))] = "90d",
) -> None:
    """Make a token, and show it once: it cannot be shown again."""
    from ledger.tokens import create as make

    with opened(context) as (province, ledger):
        now, zone = ledger.clock(), ZoneInfo(province.time_zone)
        until = moment(expires, zone, now)
        if until <= now:
            raise typer.BadParameter(_("'{text}' is past").format(text=expires), param_hint="--expires")
        token, secret = make(ledger, person, label, until, actor=may_manage(province, person))
    complain(
        _("{token} of {person} is good until {until}; this is the only time that it is shown:").format(
            token=token, person=person, until=minutes(until, zone)
        )
    )
    say(secret)


@app.command("list", epilog=example("tuyen account token list", "tuyen account token list nguyen-hoang-nam"))
def list_tokens(
    context: typer.Context,
    person: Annotated[str, typer.Argument(metavar="[PERSON]", help=_("only those of this person"))] = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """List tokens, also those that are over; never their secrets."""
    from dataclasses import asdict

    from ledger.records import stamp
    from ledger.tokens import tokens

    with opened(context) as (province, ledger):
        now, found = stamp(ledger.clock()), tokens(ledger, person)
    if form is Format.JSON:
        print_json([asdict(one) for one in found])
    else:
        print_table(COLUMNS, [_row(one, now, ZoneInfo(province.time_zone)) for one in found])


@app.command(epilog=example("tuyen account token revoke 20261125T193650123-7f3a9c"))
def revoke(context: typer.Context, token: Annotated[str, typer.Argument(metavar="ID", help=_("its id"))]) -> None:
    """Let nobody in any more with this token."""
    from ledger.tokens import revoke as end
    from ledger.tokens import tokens

    with opened(context) as (province, ledger):
        owner = next((one.person for one in tokens(ledger) if one.id == token), "")
        end(ledger, token, actor=may_manage(province, owner))
    say(_("{token} lets nobody in any more").format(token=token))


@contextmanager
def opened(context: typer.Context) -> "Iterator[tuple[Province, Ledger]]":
    """Give the province and its ledger."""
    options = settings(context)
    province = options.load()
    with options.ledger(province) as ledger:
        yield province, ledger


def may_manage(province: "Province", person: str) -> "Actor":
    """Return who acts, if they may act for `person`, "" for nobody: they themselves, root, or who operates everything.

    Raises AccessError.
    """
    from cli.actor import actor, check_may_act

    who = actor(province, "")
    if who.person not in (person, "root"):
        check_may_act(province, who, province.devices.values())
    return who


def _row(token: "Token", now: str, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": token.id,
        "person": token.person,
        "label": token.label,
        "expires": local(token.expires, zone),
        "last_used": local(token.last_used, zone) if token.last_used else "",
        "is": _("revoked") if token.revoked else _("over") if token.expires <= now else _("good"),
    }
