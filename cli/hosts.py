"""`tuyen hosts`: which host keys are believed."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import agreed, complain, print_json, print_table, say
from cli.settings import Format, FormatOption, PersonOption, SelectorArgument, Settings, YesOption, example, settings
from inventory.language import N_, _

if TYPE_CHECKING:
    from inventory.model import Province
    from ledger.records import Actor
    from playbooks.hosts import Host
    from playbooks.target import Target

app = typer.Typer(help=_("Host keys of devices: look at them, and pin those that are right."))
COLUMNS = {
    "device": N_("DEVICE"),
    "address": N_("ADDRESS"),
    "found": N_("KEY"),
    "is": N_("STATE"),
    "fingerprint": N_("FINGERPRINT"),
    "reason": N_("WHY"),
}
KEY_STATES = {
    "new": N_("new"),
    "same": N_("pinned"),
    "changed": N_("CHANGED"),
    "no-answer": N_("no answer"),
}


@app.command(epilog=example("tuyen hosts trust role=server,under=an-bien", "tuyen hosts trust box.dong-yen --replace"))
def trust(
    context: typer.Context,
    selector: SelectorArgument = "",
    yes: YesOption = False,
    replace: Annotated[
        bool, typer.Option("--replace", help=_("pin the keys that have changed, too; first make sure why they have"))
    ] = False,
    person: PersonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Ask devices for their host keys, show the fingerprints, and pin them. Compare them with the devices' own labels.

    Exit code 1 when a device does not answer, or shows another key than the pinned one.
    """
    from playbooks.hosts import State

    options = settings(context)
    province, who, targets = _targets(options, selector, person)
    seen: list[Host] = []
    for depth in sorted({len(target.jumps) for target in targets}):  # what lies behind others can be asked after them
        found = _scan(tuple(target for target in targets if len(target.jumps) == depth))
        seen += found
        if form is Format.TABLE:
            _show(form, found)
        wanted = [host for host in found if host.state is State.NEW or (replace and host.state is State.CHANGED)]
        question = _("pin {count} keys?").format(count=len(wanted))
        if wanted and (yes or (form is Format.TABLE and agreed(question))):
            _pin(province, who, options, wanted)
    if form is Format.JSON:
        _show(form, seen)
    doubtful = [host for host in seen if host.state is State.NO_ANSWER or (host.state is State.CHANGED and not replace)]
    raise typer.Exit(1 if doubtful else 0)


def _targets(options: Settings, selector: str, person: str) -> "tuple[Province, Actor, tuple[Target, ...]]":
    """Return the chosen devices that speak SSH; nobody logs in, so no key or password of ours is needed."""
    from dataclasses import replace

    from cli.actor import actor, check_may_act
    from cli.knowledge import check_place
    from inventory.export.ssh import speaks_ssh
    from inventory.selector import select_devices
    from playbooks.access import Access

    province = options.load()
    check_place(province)
    devices = [device for device in select_devices(province, selector) if speaks_ssh(province, device)]
    if not devices:
        raise typer.BadParameter(_("no device is chosen that speaks SSH"))
    who = actor(province, person)
    check_may_act(province, who, devices)
    ports = tuple(replace(rule, key="", password="") for rule in province.access)
    return province, who, Access(replace(province, access=ports), who.account, {}).targets(devices, {})


def _scan(targets: "tuple[Target, ...]") -> "list[Host]":
    from rich.progress import track

    from cli.output import console
    from playbooks.hosts import scan_hosts

    screen = console(stderr=True)
    seen = scan_hosts(targets)
    title = _("asking {count} devices").format(count=len(targets))
    return list(track(seen, title, total=len(targets), console=screen, transient=True, disable=not screen.is_terminal))


def _show(form: Format, seen: "list[Host]") -> None:
    items: list[dict[str, Any]] = [
        {
            "device": host.login.device,
            "address": host.login.address,
            "state": str(host.state),
            "is": _(KEY_STATES[host.state]),
            "found": host.found.kind if host.found else "",
            "fingerprint": host.found.fingerprint if host.found else "",
            "pinned": [pin.fingerprint for pin in host.pinned],
            "reason": host.reason or _was(host),
        }
        for host in seen
    ]
    if form is Format.JSON:
        print_json([{key: value for key, value in item.items() if key != "is"} for item in items])
    else:
        print_table(COLUMNS, items)
        say("")


def _was(host: "Host") -> str:
    from playbooks.hosts import State

    if host.state is not State.CHANGED:
        return ""
    pinned = ", ".join(pin.fingerprint for pin in host.pinned)
    return _(
        "pinned is {pinned}: was the device set up anew, or is it another one? if it is right, --replace pins it"
    ).format(pinned=pinned)


def _pin(province: "Province", who: "Actor", options: Settings, hosts: "list[Host]") -> None:
    """Believe keys from now on, and write down in the audit chain who did."""
    from inventory.export.ssh import KNOWN_HOSTS
    from ledger.audit import append_many
    from playbooks.hosts import pin_hosts
    from playbooks.work import own_faults

    pinned = [{"device": host.login.device, "fingerprint": str(host.found)} for host in hosts]
    with options.ledger(province) as ledger, ledger.write() as connection:
        append_many(connection, ledger, who, (("hosts.trust", entry) for entry in pinned))
        with own_faults():
            pin_hosts(options.folder() / KNOWN_HOSTS, hosts)  # before the ledger's transaction ends: both, or none
    complain(_("{count} keys pinned").format(count=len(hosts)))
