"""All units of a province, by their names: the watch, a service and a timer a job, and who is told of a failed one."""

from collections.abc import Iterator, Mapping

from exporters.units.hardening import hardening
from exporters.units.jobs import PASSPHRASE, Job, jobs
from exporters.units.place import Place
from exporters.units.unit import Setting, command_line, quoted, text_of
from inventory.model import Province

WATCH = "tuyen-watch.service"
FAILED = "tuyen-failed@.service"
_FIRST_FREE = 1024  # port that every account may serve on
_WATCHDOG = 120  # seconds that the watch's event loop may be stuck


def render(province: Province, place: Place) -> Mapping[str, str]:
    """Return the units' texts by file name, sorted. The same input gives the same bytes."""
    made = {WATCH: _watch(province, place), FAILED: _failed(province, place)}
    for job in jobs(province, place):
        made[f"tuyen-{job.name}.service"] = _service(province, place, job)
        made[f"tuyen-{job.name}.timer"] = _timer(province, job)
    return dict(sorted(made.items()))


def wanted(names: Mapping[str, str]) -> tuple[str, ...]:
    """Return which of the units start by themselves: the watch and the timers."""
    return tuple(name for name in names if name == WATCH or name.endswith(".timer"))


def _watch(province: Province, place: Place) -> str:
    words = ("watch", *(("--listen", place.listen) if place.listen else ()))
    service = [
        Setting("Type", "notify"),
        Setting("NotifyAccess", "main"),
        Setting("WatchdogSec", str(_WATCHDOG)),
        Setting("ExecStart", _command(place, words)),
        Setting("Restart", "always"),
        Setting("RestartSec", "5"),
        Setting("TimeoutStartSec", "300"),
        Setting("TimeoutStopSec", "60"),
        *_common(place, "1G"),
        Setting("LimitNOFILE", "65536", "A socket for every question under way, and every reader of the page."),
        *_vault_password(place),
        *hardening(place, network=True, may=_capabilities(province, place)),
    ]
    unit = [*_unit(f"tuyen watch of {province.name}", place), *_online()]
    unit.append(Setting("StartLimitIntervalSec", "0", "It is started again for as long as it takes."))
    return text_of((("Unit", unit), ("Service", service), ("Install", [Setting("WantedBy", "multi-user.target")])))


def _capabilities(province: Province, place: Place) -> tuple[tuple[str, str], ...]:
    """Return what the watch may do that others may not, and what for."""
    listening = [place.listen, province.page.listen if province.page else ""]
    ports = [int(listen.rpartition(":")[2]) for listen in listening if listen]
    ping = ("CAP_NET_RAW", "Ping: one raw socket for all.")
    low = ("CAP_NET_BIND_SERVICE", f"It serves on a port below {_FIRST_FREE}.")
    return (ping, low) if any(0 < port < _FIRST_FREE for port in ports) else (ping,)


def _service(province: Province, place: Place, job: Job) -> str:
    unit = [*_unit(f"tuyen: {job.about} of {province.name}", place), *(_online() if job.network else ())]
    unit += [Setting("After", name) for name in job.after]
    unit.append(Setting("OnFailure", "tuyen-failed@%N.service"))
    service = [Setting("Type", "oneshot")]
    service += [Setting("ExecStart", _command(place, words)) for words in job.commands]
    if job.fine:
        service.append(Setting("SuccessExitStatus", "1", "Offices that are away are normal: the watch tells of them."))
    service += [Setting("TimeoutStartSec", "4h"), Setting("Nice", "10"), *_common(place, "2G")]
    service += _vault_password(place) if job.vault else ()
    service += _passphrase(place) if job.seals else ()
    service += hardening(place, writes=job.writes, network=job.network)
    return text_of((("Unit", unit), ("Service", service)))


def _timer(province: Province, job: Job) -> str:
    timer = [
        Setting("OnCalendar", job.calendar),
        Setting("Persistent", "true", "What was due while the machine was off is done when it is on again."),
        Setting("RandomizedDelaySec", "3min"),
        Setting("FixedRandomDelay", "true"),
    ]
    unit = [Setting("Description", _plain(f"tuyen: when to {job.about} of {province.name}"))]
    return text_of((("Unit", unit), ("Timer", timer), ("Install", [Setting("WantedBy", "timers.target")])))


def _failed(province: Province, place: Place) -> str:
    unit = [*_unit(f"tuyen: tell the staff of {province.name} that %i failed", place), *_online()]
    words = ("schedule", "tell")
    service = [
        Setting("Type", "oneshot"),
        Setting("ExecStart", f"{_command(place, words)} %i"),
        Setting("TimeoutStartSec", "5min"),
        *_common(place, "512M"),
        *hardening(place, network=True),
    ]
    return text_of((("Unit", unit), ("Service", service)))


def _unit(about: str, place: Place) -> Iterator[Setting]:
    yield Setting("Description", _plain(about))
    yield Setting("RequiresMountsFor", quoted(place.province))


def _online() -> Iterator[Setting]:
    yield Setting("Wants", "network-online.target")
    yield Setting("After", "network-online.target")


def _plain(text: str) -> str:
    """Return text that fits into one line; a % of a name means nothing."""
    return " ".join(text.split()).replace("%", "%%").replace("%%i", "%i").rstrip("\\")


def _command(place: Place, words: tuple[str, ...]) -> str:
    """Return the command; of its own words, %d stands for the folder of what systemd hands over."""
    given = command_line((*place.program, "--province", place.province))
    return f"{given} {command_line(words).replace('%%d/', '%d/')}"


def _common(place: Place, memory: str) -> Iterator[Setting]:
    yield from (Setting("User", place.user), Setting("Group", place.group))
    yield Setting("WorkingDirectory", "/")
    yield Setting("RuntimeDirectory", "%N", "A home for the programs that tuyen starts; it is gone with them.")
    yield Setting("RuntimeDirectoryMode", "0700")
    yield Setting("Environment", "HOME=%t/%N PYTHONDONTWRITEBYTECODE=1")
    yield Setting("Environment", f"LC_ALL=C.UTF-8 LANGUAGE={place.language}")
    yield from (Setting("MemoryMax", memory), Setting("TasksMax", "512"))


def _vault_password(place: Place) -> Iterator[Setting]:
    if place.vault_password:
        why = "What opens secrets.yaml: handed over by systemd, so that the file may be root's alone."
        yield Setting("LoadCredential", f"vault-password:{_literal(place.vault_password)}", why)
        yield Setting("Environment", "TUYEN_VAULT_PASSWORD_FILE=%d/vault-password")


def _passphrase(place: Place) -> Iterator[Setting]:
    if place.passphrase:
        yield Setting("LoadCredential", f"{PASSPHRASE}:{_literal(place.passphrase)}", "What seals backups.")


def _literal(path: str) -> str:
    """Return the path of a credential, which is not quoted."""
    return path.replace("%", "%%")
