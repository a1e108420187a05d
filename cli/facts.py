"""`tuyen facts`: what devices really are, kept beside the declaration."""

from typing import Annotated, Any

import typer

from cli.output import print_json, print_table, say
from cli.settings import Format, FormatOption, PersonOption, SelectorArgument, settings
from inventory.language import N_, _

COLUMNS = {
    "device": N_("DEVICE"),
    "os_name": N_("SYSTEM"),
    "architecture": N_("ARCHITECTURE"),
    "cpus": N_("PROCESSORS"),
    "memory": N_("MEMORY"),
    "product": N_("MODEL"),
    "serial": N_("SERIAL"),
    "reason": N_("WHY NOT"),
}


def facts(
    context: typer.Context,
    selector: SelectorArgument = "",
    parallel: Annotated[int, typer.Option(min=1, max=200, help=_("how many devices at a time"))] = 20,
    person: PersonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Ask machines what they are, and keep it in facts/, where git shows what changes.

    Exit code 1 when any machine does not tell. 'tuyen inventory drift' compares it with the declaration.
    """
    from dataclasses import replace

    from cli.board import Board
    from cli.running import Wish, make_order, stoppable
    from inventory.facts import write_facts
    from playbooks.engine import Session
    from playbooks.facts import JOB
    from playbooks.work import own_faults

    wanted = make_order(settings(context), Wish(JOB, selector, parallel=parallel, person=person), None)
    order = replace(wanted, only_reads=True)  # asking all machines at night must not hold up those who change some
    board = Board(form is Format.TABLE, len(order.devices))
    with board, Session(order, board.hear) as session, stoppable(session):
        board.start(_("asking"), len(session.targets))
        found, ended = session.gather()
    if session.stop.is_set():
        raise KeyboardInterrupt
    reasons = {device: done.reason for device, done in ended.items() if device not in found}
    with own_faults():
        written = write_facts(order.province, found)
    told = {device: one.model_dump(mode="json") for device, one in found.items()}
    told |= {device: {"reason": reason} for device, reason in reasons.items()}
    items = [{"device": device.id, **told[device.id]} for device in order.devices]
    _show(form, items)
    if form is Format.TABLE:
        for path in written:
            say(_("changed: {path}").format(path=path))
    raise typer.Exit(1 if reasons else 0)


def _show(form: Format, items: list[dict[str, Any]]) -> None:
    if form is Format.JSON:
        print_json(items)
        return
    print_table(COLUMNS, [{**item, "memory": _mebibytes(item.get("memory"))} for item in items])


def _mebibytes(count: int | None) -> str:
    return f"{count / 2**20:.0f} MiB" if count else ""
