"""`tuyen outage plan`: work that is planned, so that what is away meanwhile does not count as failed."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from cli.moments import local, minutes, moment
from cli.output import print_json, print_table, say
from cli.settings import Format, FormatOption, PersonOption, SelectorArgument, settings
from inventory.language import N_, _

if TYPE_CHECKING:
    from inventory.model import Province
    from ledger.connection import Ledger
    from ledger.planned import Planned
    from ledger.records import Actor

PLAN_COLUMNS = {
    "id": N_("ID"),
    "selector": N_("WHAT"),
    "from": N_("FROM"),
    "to": N_("UNTIL"),
    "why": N_("WHY"),
    "person": N_("PERSON"),
}


def plan(
    context: typer.Context,
    selector: SelectorArgument = "",
    since: Annotated[str, typer.Option("--from", help=_("time, day and time, or in how long; default: now"))] = "0m",
    until: Annotated[str, typer.Option(help=_("time, day and time, or how long from its beginning"))] = "",
    why: Annotated[str, typer.Option(help=_("what is being done"))] = "",
    cancel: Annotated[str, typer.Option(metavar="ID", help=_("take back planned work"))] = "",
    person: PersonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Plan work: what is away then is in maintenance, and does not count. Without a selector: show what is planned.

    What province.yaml declares under 'maintenance' comes again by itself, and is shown with it.
    """
    from ledger.planned import planned

    if not selector and (until or why):
        raise typer.BadParameter(_("planned work takes a selector, which says what is worked on"))
    options = settings(context)
    province = options.load()
    with options.ledger(province) as ledger:
        if cancel:
            _cancel(province, ledger, cancel, person)
        elif selector:
            _plan(province, ledger, selector, (since, until, why), person)
        else:
            now = ledger.clock()
            _show(form, [*planned(ledger, now), *_recurring(province, now)], ZoneInfo(province.time_zone))


def _plan(province: "Province", ledger: "Ledger", selector: str, said: tuple[str, str, str], person: str) -> None:
    """Write down planned work: from when, until when and why, as they were typed."""
    from ledger import planned

    since, until, why = said
    if not until or not why:
        raise typer.BadParameter(_("planned work takes --until and --why"))
    _check_may_plan(province, selector, person)
    zone = ZoneInfo(province.time_zone)
    now = ledger.clock()
    begins = moment(since, zone, now)
    ends = moment(until, zone, begins)
    if ends <= begins:
        raise typer.BadParameter(_("the work would end before it begins"))
    if ends <= now:
        raise typer.BadParameter(_("'{text}' is past").format(text=until), param_hint="--until")
    work = planned.plan(ledger, selector=selector, began=begins, until=ends, why=why, actor=who(province, person))
    told = _("{work}: {selector} is worked on from {begin} until {end}")
    say(told.format(work=work, selector=selector, begin=minutes(begins, zone), end=minutes(ends, zone)))


def _cancel(province: "Province", ledger: "Ledger", work: str, person: str) -> None:
    from ledger import planned

    works = planned.planned(ledger, ledger.clock())
    selector = next((one.selector for one in works if one.id == work), None)
    if selector is not None:
        _check_may_plan(province, selector, person)
    planned.cancel(ledger, work, actor=who(province, person))
    say(_("{work}: cancelled").format(work=work))


def _check_may_plan(province: "Province", selector: str, person: str) -> None:
    """Raise AccessError unless this person may act on all that is worked on, SelectorError when that is nothing."""
    from cli.actor import check_may_act
    from inventory.selector import select_devices

    check_may_act(province, who(province, person), select_devices(province, selector))


def _recurring(province: "Province", now: datetime) -> "Iterator[Planned]":
    """Yield the time in which each work of province.yaml is done now, or the next one; it is called by its line."""
    from inventory.maintenance import next_spans
    from ledger.planned import Planned
    from ledger.records import stamp

    for work in province.maintenance:
        name = f"{work.place.file}:{work.place.line}"
        for begin, end in next_spans(work, now, ZoneInfo(province.time_zone), 1):
            yield Planned(name, work.select, stamp(begin), stamp(end), work.why, "", stamp(now))


def _show(form: Format, works: "Iterable[Planned]", zone: ZoneInfo) -> None:
    from dataclasses import asdict

    items = [asdict(work) for work in works]
    if form is Format.JSON:
        print_json(items)
    else:
        rows = [{**item, "from": local(item["began"], zone), "to": local(item["until"], zone)} for item in items]
        print_table(PLAN_COLUMNS, rows)


def who(province: "Province", person: str) -> "Actor":
    """Return who acts. Raises AccessError."""
    from cli.actor import actor

    return actor(province, person)
