"""`tuyen inventory`: what should be there."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.moments import day
from cli.output import complain, print_json, print_table, safe, say, show
from cli.settings import Format, FormatOption, SelectorArgument, YesOption, example, settings
from inventory.language import N_, _

if TYPE_CHECKING:
    from inventory.finding import Finding
    from inventory.model import Province

app = typer.Typer(help=_("Check, list, draw, export and import what is declared."), no_args_is_help=True)
DEVICE_COLUMNS = {
    "id": N_("ID"),
    "address": N_("ADDRESS"),
    "role": N_("ROLE"),
    "model": N_("MODEL"),
    "office_name": N_("OFFICE"),
    "district": N_("DISTRICT"),
    "serial": N_("SERIAL"),
    "warranty": N_("WARRANTY"),
}
OFFICE_COLUMNS = {
    "id": N_("ID"),
    "name": N_("NAME"),
    "tier": N_("TIER"),
    "district": N_("DISTRICT"),
    "kind": N_("KIND"),
    "prefix": N_("PREFIX"),
    "parent": N_("UPLINK TO"),
    "provider": N_("PROVIDER"),
    "medium": N_("MEDIUM"),
    "devices": N_("DEVICES"),
}


@app.command(epilog=example("tuyen inventory check", "tuyen inventory check --format json"))
def check(context: typer.Context, form: FormatOption = Format.TABLE) -> None:
    """Check every file; name each mistake with its file, line, reason and remedy. Exit code 1 if there is any."""
    from inventory.load import Loader

    folder = settings(context).folder()
    province, findings = Loader(folder).examine()
    if province and not findings:
        findings = (*_check_secrets(folder, province), *_check_jobs(folder, province))
    if form is Format.JSON:
        print_json([_finding_item(found) for found in findings])
    else:
        for found in findings:
            say(str(found))
        _say_result(folder, province, len(findings))
    raise typer.Exit(1 if findings else 0)


def _check_secrets(folder: Path, province: "Province") -> "tuple[Finding, ...]":
    """Compare names with the vault's, where it can be opened; checking must work without the password too."""
    from inventory.secrets import FILE, check_references, open_secrets, password_file, references

    names = references(province)
    if not names:
        return ()
    if not (folder / FILE).is_file():
        complain(_("note: there is no {file}, which is to hold: {names}").format(file=FILE, names=", ".join(names)))
        return ()
    if password_file(folder) is None:
        complain(_("note: the names of secrets were not checked, as the vault's password is not here"))
        return ()
    return tuple(check_references(province, open_secrets(folder)))


def _check_jobs(folder: Path, province: "Province") -> "Iterator[Finding]":
    """Check the province's own jobs, and that the variables it gives values to are some job's."""
    from playbooks.catalogue import all_jobs
    from playbooks.variables import check_names

    jobs, findings = all_jobs(folder)
    yield from findings
    if not findings:
        yield from check_names(province, jobs)


def _finding_item(found: "Finding") -> dict[str, Any]:
    place = found.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "rule": found.rule,
        "why": found.why,
        "fix": found.fix,
    }


def _say_result(folder: Path, province: "Province | None", count: int) -> None:
    if count:
        complain(_("{count} findings in {folder}").format(count=count, folder=folder))
    elif province:
        say(
            _("{name}: {units} units, {offices} offices, {devices} devices; nothing to complain of").format(
                name=province.name,
                units=len(province.units),
                offices=len(province.offices),
                devices=len(province.devices),
            )
        )


@app.command(epilog=example("tuyen inventory drift", "tuyen inventory drift --format json"))
def drift(context: typer.Context, form: FormatOption = Format.TABLE) -> None:
    """Compare what is declared with what devices told to 'tuyen facts'. Exit code 1 if anything differs."""
    from inventory.facts import drift as compare
    from inventory.facts import read_facts

    options = settings(context)
    province = options.load()
    facts, findings = read_facts(options.folder())
    found = (*findings, *compare(province, facts, date.today()))
    if form is Format.JSON:
        print_json([_finding_item(one) for one in found])
    else:
        for one in found:
            say(str(one))
        complain(_("{count} findings; {known} devices have told facts").format(count=len(found), known=len(facts)))
    raise typer.Exit(1 if found else 0)


@app.command("list", epilog=example("tuyen inventory list role=server,under=an-bien", "tuyen inventory list --offices"))
def list_(
    context: typer.Context,
    selector: SelectorArgument = "",
    offices: Annotated[bool, typer.Option("--offices", help=_("list offices instead of devices"))] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """List devices, or offices, that a selector chooses."""
    from inventory.export.items import device_item, office_item
    from inventory.selector import select_devices, select_offices

    province = settings(context).load()
    if offices:
        items = [office_item(province, office) for office in select_offices(province, selector)]
        show(form, OFFICE_COLUMNS, items)
    else:
        items = [device_item(province, device) for device in select_devices(province, selector)]
        show(form, DEVICE_COLUMNS, items)


@app.command("show", epilog=example("tuyen inventory show router.dong-yen", "tuyen inventory show dong-yen"))
def show_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ID", help=_("an office, device, unit, service or person"))],
    form: FormatOption = Format.TABLE,
) -> None:
    """Show everything known of one office, device, unit, service or person."""
    from cli.describe import describe

    province = settings(context).load()
    items = describe(province, name)
    if form is Format.JSON:
        print_json(items)
        return
    for item in items:
        rows = [{"key": key.replace("_", " "), "value": _shown(value)} for key, value in item.items()]
        print_table({"key": "", "value": ""}, [row for row in rows if row["value"] != ""])


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={inner}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


@app.command(
    epilog=example("tuyen inventory tree", "tuyen inventory tree --as-of 2021-06-01", "tuyen inventory tree --links")
)
def tree(
    context: typer.Context,
    under: Annotated[str, typer.Option(help=_("only what lies under this unit, or office with --links"))] = "",
    as_of: Annotated[str, typer.Option("--as-of", metavar="DAY", help=_("as it stood on that day: 2021-06-01"))] = "",
    links: Annotated[bool, typer.Option("--links", help=_("offices by their uplinks instead of units"))] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Draw the administrative tree, or the tree of uplinks."""
    from cli.describe import office_rows, unit_rows
    from inventory.load import load

    province = load(settings(context).folder(), as_of=day(as_of) if as_of else None)
    rows = office_rows(province, under) if links else unit_rows(province, under)
    if form is Format.JSON:
        print_json(rows)
        return
    for row in rows:
        indent = "  " * row["depth"]
        details = "  ".join(str(row[key]) for key in ("id", "code", "medium", "provider") if row.get(key))
        say(f"{indent}{safe(row['name'])}  [{details}]")


@app.command(epilog=example("tuyen inventory schema"))
def schema(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help=_("where to; default: the province"))] = None,
) -> None:
    """Write JSON Schemas into .schema/, so that editors complete and check the files while you type."""
    from inventory.load import Loader
    from inventory.schema import write_schemas

    province_folder = settings(context).folder()
    province, _findings = Loader(province_folder).examine()
    for path in write_schemas(folder or province_folder, province):
        say(str(path))


@app.command(
    epilog=example("tuyen inventory export ansible > hosts.yaml", "tuyen inventory export xlsx -o province.xlsx")
)
def export(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="FORMAT", help="ansible, json, prometheus, ssh-config, xlsx")],
    selector: SelectorArgument = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", help=_("file to write; default: standard output"))] = None,
) -> None:
    """Write devices in the form that another tool reads."""
    from cli.exporting import export_to

    export_to(settings(context), target, selector, out)


@app.command("import", epilog=example("tuyen inventory import province.xlsx --dry-run"))
def import_(
    context: typer.Context,
    workbook: Annotated[Path, typer.Argument(metavar="FILE.xlsx", help=_("a workbook as 'export xlsx' makes it"))],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("show what would change in which file, and stop"))
    ] = False,
    yes: YesOption = False,
) -> None:
    """Take an edited workbook back into the province's files; say row by row what cannot be taken."""
    from cli.exporting import import_from

    import_from(settings(context), workbook, dry_run=dry_run, yes=yes)
