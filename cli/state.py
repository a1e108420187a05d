"""`tuyen state`: what tuyen remembers, saved while everything runs, and brought back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import print_json, say
from cli.settings import Format, FormatOption, YesOption, example, settings
from inventory.language import _

if TYPE_CHECKING:
    from ledger.archive import Manifest

app = typer.Typer(
    help=_("The state: ledger, pinned host keys, keys, saved configurations, logs. Save it and bring it back.")
)
ArchiveArgument = Annotated[Path, typer.Argument(metavar="FILE", help=_("a file that 'tuyen state backup' wrote"))]
PassphraseOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help=_("a file whose first line is the passphrase that seals backups")),
]


@app.command(epilog=example("tuyen state backup", "tuyen state backup /media/usb/ --passphrase-file /root/passphrase"))
def backup(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help=_("the file, or the folder for it; default: the schedule's folder")),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            min=1, help=_("leave so many of this province's in the folder, the newest; default: the schedule's")
        ),
    ] = None,
    passphrase_file: PassphraseOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Save ledger, pins, keys, facts, saved configurations and logs in one file, while everything goes on.

    The file is for its owner only: it holds keys. Sealed by a passphrase it may be kept anywhere. It gets its name when
    it lies on the disk and was read back whole, and not before. --keep removes only what has a name that we gave.
    """
    from cli.state_saving import save

    options = settings(context)
    saved = save(options.folder(), options.load(), file, keep, passphrase_file)
    if form is Format.JSON:
        print_json([_item(saved.file, saved.manifest)], removed=[str(path) for path in saved.removed])
        return
    _tell(saved.file, saved.manifest)
    for path in saved.removed:
        say(_("removed: {path}").format(path=path))


@app.command(epilog=example("tuyen state check kien-giang-20261125T013000Z.tuyen-state"))
def check(
    context: typer.Context,
    file: ArchiveArgument,
    passphrase_file: PassphraseOption = None,
    form: FormatOption = Format.TABLE,
) -> None:
    """Read a backup through and prove that it is whole; nothing is changed. Exit code 1 when it is not."""
    from cli.state_saving import passphrase
    from ledger.archive import read

    options = settings(context)
    found = read(file, passphrase(options.folder(), options.load(), passphrase_file))
    if form is Format.JSON:
        print_json([_item(file, found)])
    else:
        _tell(file, found)


@app.command(epilog=example("tuyen state restore kien-giang-20261125T013000Z.tuyen-state"))
def restore(
    context: typer.Context,
    file: ArchiveArgument,
    passphrase_file: PassphraseOption = None,
    yes: YesOption = False,
) -> None:
    """Bring the state back as it was saved: all of it, or nothing.

    Refused while a watch, a run or a rollout is at work. The present state is moved aside into .tuyen/, never deleted.
    Facts, certificates and keys beside it come back where there are none.
    A ledger in PostgreSQL is brought back into an empty database. An older ledger is migrated, a newer one refused.
    """
    from cli.state_restoring import Restoring
    from cli.state_saving import passphrase

    options = settings(context)
    folder, province = options.folder(), options.load()
    with Restoring(folder, province) as restoring:
        found = restoring.unpack(file, passphrase(folder, province, passphrase_file))
        _tell(file, found)
        if not (yes or typer.confirm(_("bring this back in the place of the present state?"))):
            raise typer.Exit(1)
        aside = restoring.swap()
    say(_("the state is back as it was on {made}").format(made=found.made))
    if aside:
        say(_("what was there before lies in {path}").format(path=aside))
    for line in restoring.notes:
        say(line)


def _item(file: Path, found: "Manifest") -> dict[str, Any]:
    return {
        "file": str(file),
        "bytes": file.stat().st_size,
        "province": found.province,
        "made": found.made,
        "tuyen": found.tuyen,
        "database": found.database,
        "revision": found.revision,
        "head": f"{found.head_seq}:{found.head_hash}",
        "breaks": found.breaks,
        "files": len(found.entries),
    }


def _tell(file: Path, found: "Manifest") -> None:
    size = f"{file.stat().st_size / 2**20:.1f}"
    say(_("{file}: whole, {count} files, {size} MiB").format(file=file, count=len(found.entries), size=size))
    say(
        _("saved {made} by tuyen {version}: {database}, revision {revision}, {rows} rows of audit trail").format(
            made=found.made, version=found.tuyen, database=found.database, revision=found.revision, rows=found.head_seq
        )
    )
    if found.breaks:
        say(_("the audit trail did not hold when it was saved: {count} places").format(count=found.breaks))
