"""Alerts about services, rollouts, and the watch that tells all the rest."""

from typing import NamedTuple

from exporters.kit.alert import Alert, Scope, Severity
from exporters.kit.recording import error_ratio
from inventory.language import N_

OBJECTIVE = 0.995  # of the time a service is to be there
BUDGET = round(1 - OBJECTIVE, 6)
HOUR = 3600


class Burn(NamedTuple):
    """A service uses up its error budget `rate` times too fast, over both windows; the short one lets it end in time.

    Windows and rates are those of Google's Site Reliability Workbook, chapter 5, for a budget of thirty days.
    """

    rate: float
    long: str
    short: str

    @property
    def limit(self) -> float:
        """The share of the time for which it may be down at most."""
        return round(self.rate * BUDGET, 6)


FAST, STEADY, SLOWLY = Burn(14.4, "1h", "5m"), Burn(6, "6h", "30m"), Burn(1, "3d", "6h")
BURNS = {"ServiceBurnsFast": FAST, "ServiceBurns": STEADY, "ServiceBurnsSlowly": SLOWLY}


def burning(burn: Burn) -> str:
    """Ask whether a service uses up its error budget too fast."""
    return f"{error_ratio(burn.long)} > {burn.limit}\nand on (service) {error_ratio(burn.short)} > {burn.limit}"


def _stands(status: str) -> str:
    return f'max by (rollout) (tuyen_rollout_status{{status="{status}"}}) == 1'


SERVICE_ALERTS = (
    Alert(
        name="ServiceBurnsFast",
        scope=Scope.SERVICE,
        severity=Severity.CRITICAL,
        rounds=2,
        expr=burning(FAST),
        summary=N_("The service {service} is down too much: {percent} of the last hour"),
        advice=N_("At this rate a month's allowance is gone in two days; see: tuyen check."),
    ),
    Alert(
        name="ServiceBurns",
        scope=Scope.SERVICE,
        severity=Severity.CRITICAL,
        rounds=4,
        expr=burning(STEADY),
        summary=N_("The service {service} is down too much: {percent} of the last six hours"),
        advice=N_("At this rate a month's allowance is gone in five days; see: tuyen check."),
    ),
    Alert(
        name="ServiceBurnsSlowly",
        scope=Scope.SERVICE,
        severity=Severity.WARNING,
        seconds=HOUR,
        expr=burning(SLOWLY),
        summary=N_("The service {service} is down a little too much: {percent} of the last three days"),
        advice=N_("It goes on failing now and then; find out when and why in working hours."),
    ),
)

ROLLOUT_ALERTS = (
    Alert(
        name="RolloutPaused",
        scope=Scope.ROLLOUT,
        severity=Severity.WARNING,
        seconds=HOUR,
        kept=True,
        expr=_stands("paused"),
        summary=N_("Rollout {rollout} has been paused for an hour"),
        advice=N_("See why: tuyen rollout status {rollout}; then resume or abort it."),
    ),
    Alert(
        name="RolloutFailed",
        scope=Scope.ROLLOUT,
        severity=Severity.CRITICAL,
        kept=True,
        expr=_stands("failed"),
        summary=N_("Rollout {rollout} has failed, and waits for a person"),
        advice=N_("See why: tuyen rollout status {rollout}; then resume, abort or roll it back."),
    ),
    Alert(
        name="RolloutStuck",
        scope=Scope.ROLLOUT,
        severity=Severity.WARNING,
        seconds=HOUR,
        # A device that is owed its change may wait for its window, which comes daily.
        expr=(
            f"{_stands('running')}\n"
            "and on (rollout) sum by (rollout) (changes(tuyen_rollout_devices[26h])) == 0\n"
            'and on (rollout) max by (rollout) (tuyen_rollout_status{status="running"} offset 26h) == 1'
        ),
        summary=N_("Rollout {rollout} runs, but no device of it has moved for a day"),
        advice=N_("Does its controller still run, does it wait for approval? See: tuyen rollout status {rollout}."),
    ),
    Alert(
        name="RolloutsUnread",
        scope=Scope.ROLLOUT,
        severity=Severity.WARNING,
        seconds=900,
        expr="max by () (tuyen_rollouts_read_success) == 0",
        summary=N_("The watch cannot read the rollouts from the ledger"),
        advice=N_("The ledger is away or newer than this tuyen; see the watch's log."),
    ),
)

WATCH_ALERTS = (
    Alert(
        name="WatchSilent",
        scope=Scope.WATCH,
        severity=Severity.CRITICAL,
        rounds=4,
        expr='max by () (up{job="tuyen"}) == 0 or absent(max by () (up{job="tuyen"}))',
        summary=N_("The watch is silent: nobody looks at the province"),
        advice=N_("Start it again. Until then the states are those that were known last."),
    ),
    Alert(
        name="WatchLate",
        scope=Scope.WATCH,
        severity=Severity.WARNING,
        seconds=900,
        expr="max by () (rate(tuyen_watch_postponed_total[10m])) > 0",
        summary=N_("The watch does not keep up with its questions"),
        advice=N_("The machine is too busy or too many addresses are silent; see the dashboard of the watch."),
    ),
    Alert(
        name="ProvinceFilesBad",
        scope=Scope.WATCH,
        severity=Severity.WARNING,
        seconds=900,
        expr="max by () (tuyen_province_load_success) == 0",
        summary=N_("The province's files hold mistakes; the watch goes on with what it had"),
        advice=N_("See: tuyen inventory check."),
    ),
)
