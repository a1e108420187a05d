"""`tuyen check`: how things are, now."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import console, print_json, print_table, say
from cli.settings import Format, FormatOption, SelectorArgument, Settings, settings
from exporters.page.words import STATES
from inventory.language import N_, _

if TYPE_CHECKING:
    from exporters.health import Health
    from exporters.questions import Key, Question
    from exporters.reading import Reading
    from inventory.model import Device, Province

COLUMNS = {
    "office": N_("OFFICE"),
    "name": N_("NAME"),
    "district": N_("DISTRICT"),
    "state": N_("STATE"),
    "devices": N_("DEVICES UP"),
    "reason": N_("WHY"),
}
SERVICE_COLUMNS = {"service": N_("SERVICE"), "state": N_("STATE"), "reason": N_("WHY")}
READING_COLUMNS = {"device": N_("DEVICE"), "module": N_("PROBE"), "state": N_("STATE"), "reason": N_("ANSWER")}


def check(
    context: typer.Context,
    selector: SelectorArgument = "",
    watch: Annotated[bool, typer.Option("--watch", "-w", help=_("check again and again, until Ctrl-C"))] = False,
    every: Annotated[int, typer.Option(min=1, help=_("seconds between checks with --watch"))] = 10,
    everything: Annotated[bool, typer.Option("--all", help=_("show the offices that are up, too"))] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Check the health of devices, offices and services now; the worst first. Exit code 1 if anything is not up.

    What is away while it is being worked on is in maintenance, and counts as if it were up; see: tuyen outage plan.
    """
    chosen = _choose(settings(context), selector)
    while True:
        result = chosen.ask(form is Format.TABLE)
        if watch and form is Format.TABLE:
            console().clear()
        _show(result, everything, form)
        if not watch:
            raise typer.Exit(0 if result.all_up else 1)
        time.sleep(every)


def _choose(options: Settings, selector: str) -> "Chosen":
    from cli.knowledge import gather
    from exporters.questions import questions, service_questions, way_questions
    from inventory.selector import select_devices

    province = options.load()
    devices = select_devices(province, selector)
    knowledge = gather(options.folder(), province)
    ids = {device.id for device in devices}
    asked = list(questions(province, devices, knowledge))
    asked += (question for question in service_questions(province, knowledge) if question.device in ids)
    if not asked:  # nothing to be well would be taken for well
        raise typer.BadParameter(_("no device is chosen that is asked anything"))
    return Chosen(province, devices, asked, list(way_questions(province, devices, knowledge)))


@dataclass(frozen=True)
class Chosen:
    """What is asked: the questions of the chosen devices, and those of the way to them."""

    province: "Province"
    devices: "tuple[Device, ...]"
    asked: "list[Question]"
    way: "list[Question]"

    def ask(self, show_progress: bool) -> "Result":
        """Ask everything once, with a progress bar on a terminal."""
        import asyncio

        from cli.check_planned import planned_now
        from exporters.health import judge
        from exporters.outages.work import with_planned

        started = time.perf_counter()
        readings = asyncio.run(self._round(show_progress))
        health = with_planned(self.province, judge(self.province, readings), planned_now(self.province))
        return Result(self.province, self.devices, readings, health, time.perf_counter() - started)

    async def _round(self, show_progress: bool) -> "dict[Key, Reading]":
        from rich.progress import Progress

        from exporters.round import ask_round

        questions = list({question.key: question for question in (*self.asked, *self.way)}.values())
        readings: dict[Key, Reading] = {}
        screen = console(stderr=True)
        with Progress(console=screen, transient=True, disable=not (show_progress and screen.is_terminal)) as progress:
            task = progress.add_task(_("asking {count} questions").format(count=len(questions)), total=len(questions))
            async for key, reading in ask_round(questions):
                readings[key] = reading
                progress.update(task, completed=len(readings))
        return readings


@dataclass(frozen=True)
class Result:
    """What a check found of the chosen devices, their offices and the services on them."""

    province: "Province"
    devices: "tuple[Device, ...]"
    readings: "dict[Key, Reading]"
    health: "Health"
    seconds: float

    @property
    def all_up(self) -> bool:
        """Whether everything that was asked is up, but for what is being worked on."""
        items = [*self.office_items(), *self.service_items(), *self.device_items()]
        return all(item["state"] in ("up", "maintenance") for item in items)

    def office_items(self) -> list[dict[str, Any]]:
        """Return the offices of the chosen devices, the worst first."""
        from inventory.topology import SEVERITY

        offices = dict.fromkeys(device.office for device in self.devices if device.id in self.health.devices)
        items = [self._office_item(office) for office in offices]
        return sorted(items, key=lambda item: (SEVERITY[item["state"]], item["district"], item["office"]))

    def _office_item(self, office: str) -> dict[str, Any]:
        states = self.health.devices
        own = [device.id for device in self.devices if device.office == office and device.id in states]
        up = sum(states[device] == "up" for device in own)
        declared = self.province.offices[office]
        return {
            "is": "office",
            "office": office,
            "name": declared.name,
            "district": declared.district,
            "state": self.health.offices[office],
            "devices": f"{up}/{len(own)}",
            "reason": self.health.reasons.get(office, ""),
        }

    def service_items(self) -> list[dict[str, Any]]:
        """Return the services that were asked about."""
        return [
            {"is": "service", "service": name, "state": state, "reason": self.health.reasons.get(name, "")}
            for name, state in self.health.services.items()
        ]

    def device_items(self) -> list[dict[str, Any]]:
        """Return the chosen devices that were asked."""
        return [
            {
                "is": "device",
                "device": device.id,
                "office": device.office,
                "role": device.role,
                "address": device.address,
                "state": self.health.devices[device.id],
                "reason": self.health.reasons.get(device.id, ""),
            }
            for device in self.devices
            if device.id in self.health.devices
        ]

    def reading_items(self) -> list[dict[str, Any]]:
        """Return every answer to a question about the chosen devices."""
        chosen = {device.id for device in self.devices}
        return [
            {
                "is": "reading",
                "device": reading.device,
                "module": reading.module,
                "service": key[2],
                "success": reading.success,
                "degraded": reading.degraded,
                "reason": reading.reason,
                "seconds": round(reading.seconds, 6),
            }
            for key, reading in self.readings.items()
            if reading.device in chosen
        ]


def _show(result: Result, everything: bool, form: Format) -> None:
    if form is Format.JSON:
        items = [*result.office_items(), *result.service_items(), *result.device_items(), *result.reading_items()]
        print_json(items)
        return
    offices = result.office_items()
    shown = [item for item in offices if everything or item["state"] != "up"]
    if shown:
        print_table(COLUMNS, shown)
        say("")
    services = [item for item in result.service_items() if everything or item["state"] != "up"]
    if services:
        print_table(SERVICE_COLUMNS, services)
        say("")
    if len(result.devices) <= FEW:
        _show_readings(result)
    say("; ".join(_summary(result, offices)))


FEW = 12  # devices, up to which every answer is shown


def _show_readings(result: Result) -> None:
    def state(item: dict[str, Any]) -> str:
        if not item["success"]:
            return "down"
        return "degraded" if item["degraded"] else "up"

    rows = [{**item, "state": state(item)} for item in result.reading_items()]
    print_table(READING_COLUMNS, rows)
    say("")


def _summary(result: Result, offices: list[dict[str, Any]]) -> Iterator[str]:
    by_state = {name: sum(item["state"] == name for item in offices) for name in STATES}
    counted = ", ".join(f"{count} {_(STATES[state])}" for state, count in by_state.items() if count)
    yield _("{count} offices: {counted}").format(count=len(offices), counted=counted or "-")
    devices = result.device_items()
    up = sum(item["state"] == "up" for item in devices)
    yield _("{up} of {count} devices up").format(up=up, count=len(devices))
    yield _("{count} questions in {seconds:.1f} s").format(count=len(result.readings), seconds=result.seconds)
