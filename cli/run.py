"""`tuyen run`: bring devices to a declared state: plan, confirm, apply, verify."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import print_json, print_table
from cli.settings import Format, FormatOption, PersonOption, Settings, YesOption, settings
from inventory.language import N_, _

JOB_COLUMNS = {"job": N_("JOB"), "driver": N_("DRIVER"), "risk": N_("RISK"), "fits": N_("FITS"), "about": N_("ABOUT")}
RISKS = {"ordinary": N_("ordinary"), "cut-off": N_("cut-off")}


def run(
    context: typer.Context,
    job: Annotated[str, typer.Argument(metavar="[JOB]", help=_("the job; without one, all jobs are listed"))] = "",
    selector: Annotated[
        str, typer.Argument(metavar="[SELECTOR]", help=_("which devices, of those that the job fits; default: all"))
    ] = "",
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help=_("a variable of the job, for this time; 'tuyen run --format json' tells which there are"),
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("show what would change, and stop"))] = False,
    yes: YesOption = False,
    rollback: Annotated[bool, typer.Option("--rollback", help=_("bring the devices back to before the job"))] = False,
    plan_out: Annotated[
        Path | None, typer.Option("--plan-out", metavar="FILE", help=_("write the plan to a file, and stop"))
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", help=_("carry out a plan that --plan-out wrote"))
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, max=200, help=_("how many devices at a time"))] = 20,
    wait: Annotated[float, typer.Option(min=0, help=_("seconds to wait for devices that others act on"))] = 0,
    unguarded: Annotated[
        bool, typer.Option("--without-revert", help=_("go on where a device cannot return by itself"))
    ] = False,
    person: PersonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Run a job on devices now: ask what would change, show it, apply it, verify it.

    Exit code 1 when any device is not as it should be in the end.
    """
    from cli.running import Wish, carry_out

    if not job and not plan:
        _list_jobs(settings(context), form)
        return
    if plan and (job or selector or sets):
        raise typer.BadParameter(_("a plan says itself which job, devices and values it is for"), param_hint="--plan")
    if form is Format.JSON and not (yes or dry_run or plan_out):
        raise typer.BadParameter(_("add --yes or --dry-run: json has nobody to ask"), param_hint="--format")
    wish = Wish(
        job=job,
        selector=selector,
        sets=tuple(sets or ()),
        dry_run=dry_run or plan_out is not None,
        yes=yes,
        rollback=rollback,
        plan_out=plan_out,
        plan=plan,
        parallel=parallel,
        wait=wait,
        unguarded=unguarded,
        person=person,
        form=form,
    )
    raise typer.Exit(0 if carry_out(settings(context), wish) else 1)


def _list_jobs(options: Settings, form: Format) -> None:
    from playbooks.catalogue import all_jobs
    from playbooks.errors import InvalidJobError

    jobs, findings = all_jobs(options.folder())
    items = [
        {
            "job": job.name,
            "driver": job.shape.driver,
            "risk": job.shape.risk,
            "fits": job.shape.fits,
            "about": job.about,
            "variables": {name: shape.about for name, shape in job.shape.variables.items()},
        }
        for job in jobs.values()
    ]
    if form is Format.JSON:
        print_json(items)
    else:
        risks = {name: _(RISKS[job.shape.risk]) for name, job in jobs.items()}
        print_table(JOB_COLUMNS, [{**item, "risk": risks[str(item["job"])]} for item in items])
    if findings:
        raise InvalidJobError(findings)
