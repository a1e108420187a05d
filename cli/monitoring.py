"""`tuyen monitoring`: the files that Prometheus, Alertmanager and Grafana run on, made from the province."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import complain, say
from cli.settings import example, settings
from inventory.language import _

if TYPE_CHECKING:
    from inventory.model import Province

app = typer.Typer(help=_("The Prometheus kit: what real Prometheus, Alertmanager and Grafana need for this province."))
_ADDRESS = re.compile(r"[A-Za-z0-9._-]+:[0-9]{1,5}|\[[0-9a-fA-F:]+\]:[0-9]{1,5}")
_LAST_PORT = 65535
_LONGEST = 60  # seconds: exporters are asked four times slower, and after five minutes Prometheus forgets a series


@app.command(epilog=example("tuyen monitoring render /etc/prometheus/tuyen", "tuyen monitoring render kit --check"))
def render(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=_("the folder of the kit; made where there is none"))],
    check: Annotated[
        bool, typer.Option("--check", help=_("only say what would change; exit code 1 if anything"))
    ] = False,
    watch: Annotated[str, typer.Option(help=_("where the watch serves"))] = "127.0.0.1:9733",
    prometheus: Annotated[str, typer.Option(help=_("where Prometheus itself will listen"))] = "127.0.0.1:9090",
    alertmanager: Annotated[str, typer.Option(help=_("where Alertmanager listens"))] = "127.0.0.1:9093",
    snmp_exporter: Annotated[
        str, typer.Option(help=_("where snmp_exporter listens; empty: network gear is not read by it"))
    ] = "127.0.0.1:9116",
    interval: Annotated[str, typer.Option(help=_("how often the watch is scraped; all waits follow from it"))] = "15s",
) -> None:
    """Write the configuration of Prometheus and Alertmanager, rules with their tests, and dashboards for Grafana.

    Only files that differ are written, and nothing else in the folder is touched. They hold no secrets.
    """
    from exporters.kit.rendering import render as render_kit
    from exporters.kit.settings import KitSettings

    parts = {"watch": watch, "prometheus": prometheus, "alertmanager": alertmanager}
    if snmp_exporter:
        parts["snmp-exporter"] = snmp_exporter
    for option, address in parts.items():
        _check_address(option, address)
    chosen = KitSettings(watch, prometheus, alertmanager, snmp_exporter, _seconds(interval))
    province = settings(context).load()
    _bring_up_to_date(folder, render_kit(province, chosen), check=check)
    _tell_left_out(province)


def _bring_up_to_date(folder: Path, kit: Mapping[str, str], *, check: bool) -> None:
    from exporters.kit.folder import differing, write

    try:
        names = differing(folder, kit)
        if not check:
            write(folder, kit, names)
    except OSError as error:
        file = error.filename or folder
        complain(_("{file} cannot be written: {reason}").format(file=file, reason=error.strerror or error))
        raise typer.Exit(1) from error
    for name in names:
        say(_("would change: {name}").format(name=name) if check else _("written: {name}").format(name=name))
    say(_("{changed} of {count} files differ").format(changed=len(names), count=len(kit)))
    if check and names:
        raise typer.Exit(1)


def _tell_left_out(province: "Province") -> None:
    """Say whose address Alertmanager cannot be given; tuyen itself can tell them."""
    from exporters.kit.receivers import left_out

    for account, scheme in left_out(province):
        complain(
            _(
                "people.yaml: an address of {account} ({scheme}:) is left out: it may hold a secret, or is none that "
                "Alertmanager knows"
            ).format(account=account, scheme=scheme)
        )


def _check_address(option: str, address: str) -> None:
    if not _ADDRESS.fullmatch(address) or int(address.rpartition(":")[2]) > _LAST_PORT:
        message = _("'{text}' is not HOST:PORT, as in 127.0.0.1:9090").format(text=address)
        raise typer.BadParameter(message, param_hint=f"--{option}")


def _seconds(text: str) -> int:
    from pydantic_core import PydanticCustomError

    from inventory.forms import seconds

    try:
        found = seconds(text)
    except PydanticCustomError:
        found = 0
    if not isinstance(found, float) or not found.is_integer() or not 1 <= found <= _LONGEST:
        message = _("'{text}' is not a whole number of seconds from 1 s to 60 s; write 15s").format(text=text)
        raise typer.BadParameter(message, param_hint="--interval")
    return int(found)
