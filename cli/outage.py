"""`tuyen outage`: what was or is not up, since when and whose fault it was, and what people know of it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cli.moments import local, minutes, moment
from cli.outage_plan import plan, who
from cli.output import print_json, print_table, say
from cli.settings import Format, FormatOption, PersonOption, SelectorArgument, example, settings
from exporters.page.words import CAUSES, KINDS
from inventory.language import N_, _

if TYPE_CHECKING:
    from inventory.model import Device, Province
    from ledger.connection import Ledger
    from ledger.outages import Outage

app = typer.Typer(help=_("What is or was not up: since when, for how long, and whose fault it was."))
COLUMNS = {
    "id": N_("ID"),
    "is": N_("KIND"),
    "node": N_("WHAT"),
    "state": N_("STATE"),
    "why": N_("CAUSE"),
    "since": N_("SINCE"),
    "lasted": N_("LASTED"),
    "follows": N_("FOLLOWS FROM"),
    "care": N_("NOTE"),
}
OutageArgument = Annotated[str, typer.Argument(metavar="OUTAGE", help=_("its id, or that of what is out"))]


@app.command("list", epilog=example("tuyen outage list", "tuyen outage list under=an-bien --days 7 --roots"))
def list_outages(
    context: typer.Context,
    selector: SelectorArgument = "",
    days: Annotated[
        int, typer.Option(min=0, max=36500, help=_("those of so many days, too, that are over; 0: open ones"))
    ] = 0,
    kind: Annotated[str, typer.Option(help=_("only of this kind: device, office, link or service"))] = "",
    roots: Annotated[bool, typer.Option("--roots", help=_("only those that follow from no other"))] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """List outages, the oldest first. Exit code 1 when any is open."""
    from ledger.outages import open_outages, outages_between

    _check_kind(kind)
    options = settings(context)
    province = options.load()
    with options.ledger(province) as ledger:
        now = ledger.clock()
        found = outages_between(ledger, now - timedelta(days=days), now) if days else open_outages(ledger)
    wanted = _within(province, selector)
    chosen = [one for one in found if _place(one) in wanted] if selector else list(found)
    chosen = [one for one in chosen if (not kind or one.kind == kind) and not (roots and one.root)]
    chosen.sort(key=lambda one: (one.began, one.root is not None, one.kind, one.node))
    if form is Format.JSON:
        print_json([_item(one) for one in chosen])
    else:
        names = {one.id: one.node for one in found}
        print_table(COLUMNS, [_row(one, names, ZoneInfo(province.time_zone)) for one in chosen])
    raise typer.Exit(1 if any(one.ended is None for one in chosen) else 0)


@app.command("show", epilog=example("tuyen outage show an-bien"))
def show_outage(context: typer.Context, outage: OutageArgument, form: FormatOption = Format.TABLE) -> None:
    """Show an outage: what tells its cause, what people said of it, and what follows from it."""
    from ledger.outages import find_outage, following

    options = settings(context)
    province = options.load()
    zone = ZoneInfo(province.time_zone)
    with options.ledger(province) as ledger:
        found = find_outage(ledger, outage)
        behind = sorted(following(ledger, found.id), key=lambda one: (one.kind == "device", one.kind != "office"))
        root = find_outage(ledger, found.root) if found.root else None
    if form is Format.JSON:
        print_json([_item(one) for one in (found, *behind)])
        return
    names = {one.id: one.node for one in (found, *behind, *([root] if root else []))}
    rows = [_row(one, names, zone) for one in (found, *behind)]
    print_table(COLUMNS, rows[:1])
    for key, value in found.evidence.items():
        say(f"  {key}: {value}")
    if found.note:
        say("  " + _("{person} noted: {note}").format(person=found.noted_by, note=found.note))
    if behind:
        say("")
        print_table(COLUMNS, rows[1:])


@app.command(epilog=example("tuyen outage note dong-yen 'EVN works on the line until noon' --cause power"))
def note(
    context: typer.Context,
    outage: OutageArgument,
    text: Annotated[str, typer.Argument(help=_("what is known"))],
    cause: Annotated[str, typer.Option(help=_("whose fault it was: device, link, power, maintenance or unknown"))] = "",
    person: PersonOption = "",
) -> None:
    """Write down what you know of an outage, and its cause; the cause that a person gives is not changed any more."""
    from ledger.outages import note as write

    if not text.strip():
        raise typer.BadParameter(_("the note is empty; write what is known"))
    if cause and (cause not in CAUSES or cause == "upstream"):
        raise typer.BadParameter(
            _("'{cause}' is no cause; write device, link, power, maintenance or unknown").format(cause=cause)
        )
    options = settings(context)
    province = options.load()
    with options.ledger(province) as ledger:
        found = _may_act(province, ledger, outage, person)
        write(ledger, found.id, text, actor=who(province, person), cause=cause or None)
    say(_("{outage} of {node}: noted").format(outage=found.id, node=found.node))


@app.command(epilog=example("tuyen outage ack an-bien --until 4h", "tuyen outage ack an-bien --until 17:00"))
def ack(
    context: typer.Context,
    outage: OutageArgument,
    until: Annotated[str, typer.Option(help=_("time (17:00), day and time, or how long (90m, 4h, 2d)"))] = "4h",
    person: PersonOption = "",
) -> None:
    """Say that you take care of an outage: nobody is alerted of it until then."""
    from ledger.outages import acknowledge

    options = settings(context)
    province = options.load()
    zone = ZoneInfo(province.time_zone)
    with options.ledger(province) as ledger:
        end = moment(until, zone, now := ledger.clock())
        if end <= now:
            raise typer.BadParameter(_("'{text}' is past").format(text=until), param_hint="--until")
        found = _may_act(province, ledger, outage, person)
        acknowledge(ledger, found.id, end, actor=who(province, person))
    told = _("{outage} of {node}: no alerts until {until}")
    say(told.format(outage=found.id, node=found.node, until=minutes(end, zone)))


app.command(
    epilog=example(
        "tuyen outage plan under=an-bien --from '2026-12-05 20:00' --until '2026-12-05 23:00' --why 'new router'",
        "tuyen outage plan",
        "tuyen outage plan --cancel 20261125T193650123-7f3a9c",
    )
)(plan)


def _check_kind(kind: str) -> None:
    if kind and kind not in KINDS:
        told = _("'{kind}' is no kind; write device, office, link or service").format(kind=kind)
        raise typer.BadParameter(told, param_hint="--kind")


def _may_act(province: "Province", ledger: "Ledger", key: str, person: str) -> "Outage":
    """Return the outage that `key` means, if this person may act on where it is. AccessError, UnknownOutageError."""
    from cli.actor import check_may_act
    from ledger.outages import find_outage

    found = find_outage(ledger, key)
    check_may_act(province, who(province, person), _devices(province, found))
    return found


def _devices(province: "Province", outage: "Outage") -> "Iterable[Device]":
    """Return the devices that an outage is about: who may act on all of them may speak of it."""
    if outage.kind == "device":
        return [province.devices[outage.node]] if outage.node in province.devices else ()
    if outage.kind == "service":
        service = province.services.get(outage.node)
        return [province.devices[probe.device] for probe in service.probes] if service else ()
    return province.devices_of.get(_place(outage), ())


def _place(outage: "Outage") -> str:
    """Return the office where an outage is; of a service, the service's id."""
    if outage.kind == "device":
        return outage.node.rpartition(".")[2]
    return outage.node.rpartition(".")[0] if outage.kind == "link" else outage.node


def _within(province: "Province", selector: str) -> frozenset[str]:
    """Return the offices of the devices that a selector chooses."""
    from inventory.selector import select_devices

    return frozenset(device.office for device in select_devices(province, selector)) if selector else frozenset()


def _item(outage: "Outage") -> dict[str, Any]:
    from dataclasses import asdict

    from ledger.records import now

    ended = datetime.fromisoformat(outage.ended) if outage.ended else now()
    return {**asdict(outage), "seconds": (ended - datetime.fromisoformat(outage.began)).total_seconds()}


def _row(outage: "Outage", names: dict[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """Return an outage as a row for people; `names` tells what the outages are of, by their ids."""
    item = _item(outage)
    said = [outage.note, _("acknowledged by {person}").format(person=outage.acked_by) if outage.acked_by else ""]
    return {
        **item,
        "is": _(KINDS.get(outage.kind, outage.kind)),
        "why": _(CAUSES.get(outage.cause, outage.cause)),
        "since": local(outage.began, zone),
        "lasted": f"{timedelta(seconds=int(item['seconds']))}{'' if outage.ended else ' …'}",
        "follows": names.get(outage.root, outage.root) if outage.root else "",
        "care": "; ".join(filter(None, said)),
    }
