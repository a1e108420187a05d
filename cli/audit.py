"""`tuyen audit-log`: who did what, when and from where, and whether any of it was altered since."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cli.moments import day
from cli.output import complain, print_json, print_table, say
from cli.settings import Format, FormatOption, example, settings
from inventory.language import N_, _

if TYPE_CHECKING:
    from ledger.audit import Entry, Head
    from ledger.connection import Ledger

app = typer.Typer(help=_("The audit trail: every command and every change, chained so that what is altered shows."))
COLUMNS = {
    "seq": N_("NUMBER"),
    "time": N_("TIME"),
    "person": N_("PERSON"),
    "account": N_("ACCOUNT"),
    "origin": N_("FROM"),
    "action": N_("ACTION"),
    "details": N_("DETAILS"),
}
FAULT_COLUMNS = {"place": N_("WHERE"), "says": N_("WHY")}
_WIDEST = 160  # letters of details in a table
_DIGITS = 64  # of a hash


@app.command(epilog=example("tuyen audit-log show --device box.dong-yen", "tuyen audit-log show --since 2026-11-01"))
def show(
    context: typer.Context,
    device: Annotated[str | None, typer.Option(help=_("only what is about this device"))] = None,
    person: Annotated[str | None, typer.Option(help=_("only what this person or account did"))] = None,
    since: Annotated[str | None, typer.Option(metavar="DAY", help=_("only from this day on"))] = None,
    limit: Annotated[int, typer.Option(min=1, help=_("at most so many, the newest"))] = 50,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show what was done, newest first."""
    from ledger.audit import search
    from ledger.records import stamp

    options = settings(context)
    province = options.load()
    zone = ZoneInfo(province.time_zone)
    first = stamp(datetime.combine(day(since), datetime.min.time(), zone)) if since else ""
    with options.ledger(province) as ledger:
        found = search(ledger, device=device, person=person, since=first, limit=limit)
    if form is Format.JSON:
        print_json([_item(entry) for entry in found])
    else:
        print_table(COLUMNS, [_row(entry, zone) for entry in found])


def _item(entry: "Entry") -> dict[str, Any]:
    import json

    actor = entry.actor
    who = {"person": actor.person, "account": actor.account, "origin": actor.origin}
    try:
        details = json.loads(entry.details)
    except ValueError:  # altered behind the ledger's back, which `verify` tells: shown as it stands
        details = entry.details
    return {"seq": entry.seq, "at": entry.at, **who, "action": entry.action, "details": details, "hash": entry.hash}


def _row(entry: "Entry", zone: ZoneInfo) -> dict[str, Any]:
    details = entry.details if len(entry.details) <= _WIDEST else f"{entry.details[:_WIDEST]}…"
    return {**_item(entry), "time": _local(entry.at, zone), "details": details}


def _local(at: str, zone: ZoneInfo) -> str:
    try:
        return datetime.fromisoformat(at).astimezone(zone).isoformat(" ", "seconds")
    except (ValueError, TypeError):  # altered, too
        return at


@app.command(epilog=example("tuyen audit-log verify", "tuyen audit-log verify --head 812:9f86d081884c7d65..."))
def verify(
    context: typer.Context,
    known: Annotated[
        str | None,
        typer.Option("--head", metavar="SEQ:HASH", help=_("a head that was written down before: shows what is gone")),
    ] = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Check that nothing was altered, removed or added, and print the trail's head, to be written down elsewhere.

    Without an older head, the removal of the newest rows cannot be seen. Exit code 1 when anything was altered.
    """
    from ledger.audit import head

    before = _parse_head(known) if known is not None else None
    options = settings(context)
    with options.ledger(options.load()) as ledger:
        newest = head(ledger)
        faults = _faults(ledger, before)
    written = f"{newest.seq}:{newest.hash}"
    if form is Format.JSON:
        keys = ("rollout", "run", "device", "seq", "why")
        print_json([{key: fault[key] for key in keys} for fault in faults], head=written)
    elif faults:
        print_table(FAULT_COLUMNS, faults)
        complain(_("the audit trail does not hold: {count} places").format(count=len(faults)))
    else:
        say(_("the audit trail holds: {count} rows").format(count=newest.seq))
        say(_("head, to be written down elsewhere: {head}").format(head=written))
    raise typer.Exit(1 if faults else 0)


def _parse_head(text: str) -> "Head":
    from ledger.audit import Head

    seq, _colon, digits = text.strip().partition(":")
    if not (seq.isascii() and seq.isdigit() and len(digits) == _DIGITS):
        raise typer.BadParameter(
            _("'{text}' is no head; write it as 'verify' printed it: SEQ:HASH").format(text=text), param_hint="--head"
        )
    return Head(int(seq), digits)


def _faults(ledger: "Ledger", known: "Head | None") -> list[dict[str, Any]]:
    """Return where the chain does not hold; when it does, what of the rollouts and runs is not as it tells."""
    from ledger.audit import verify as verify_chain
    from ledger.evidence import verify_rollouts, verify_runs

    breaks = [_fault(_("row {number}").format(number=at), why, seq=at) for at, why in verify_chain(ledger, known)]
    if breaks:
        return breaks
    rollouts = [
        _fault(_place_in_rollout(rollout, seq), why, rollout=rollout, seq=seq)
        for rollout, seq, why in verify_rollouts(ledger)
    ]
    runs = [_fault(_place_in_run(run, device), why, run=run, device=device) for run, device, why in verify_runs(ledger)]
    return rollouts + runs


def _fault(place: str, why: str, **where: str | int) -> dict[str, Any]:
    return {"rollout": "", "run": "", "device": "", "seq": 0, **where, "why": why, "says": _(why), "place": place}


def _place_in_rollout(rollout: str, seq: int) -> str:
    if seq == 0:
        return _("rollout {rollout}").format(rollout=rollout)
    return _("rollout {rollout}, event {number}").format(rollout=rollout, number=seq)


def _place_in_run(run: str, device: str) -> str:
    if not device:
        return _("run {run}").format(run=run)
    return _("run {run}, {device}").format(run=run, device=device)
