"""Recording rules: the state of each office as last known, whose fault its silence is, its link, services' errors."""

from typing import Any

from exporters.kit.settings import KitSettings, duration
from inventory.model import Province

LINK_WINDOW = "10m"
# The windows of services' errors, each with the step at which it is looked at, and how many steps it has.
ERROR_WINDOWS = {"5m": ("15s", 20), "30m": ("1m", 30), "1h": ("1m", 60)}
LONG_ERROR_WINDOWS = {"6h": ("5m", 72), "3d": ("5m", 864)}  # looked at in the recorded shortest window
OFFICES, LINKS, SERVICES, LONG = RECORDING_GROUPS = (
    "tuyen-offices",
    "tuyen-links",
    "tuyen-services",
    "tuyen-services-long",
)
_FACTS = "name, district, tier, parent, medium"
BELIEVED = "tuyen:watch:believed"
_YOUNG = 30  # seconds, at least: a watch that has just begun takes what it has not yet asked twice for well
_TOLD = f"""\
max by (office, state) (tuyen_office_state{{state!="unknown"}} == 1)
  * on (office) group_left ({_FACTS}) max by (office, {_FACTS}) (tuyen_office_info)"""
# What is known of each office; where nothing is (the watch is silent, or has just begun), what was known before.
# Without that, every outage would be called resolved whenever the watch goes away.
_HELD = f"""\
(tuyen:office_state:told and on () {BELIEVED})
or on (office)
(tuyen:office_state:held and on (office) tuyen_office_state{{state="unknown"}} == 1)
or on (office)
(tuyen:office_state:held unless on () {BELIEVED})
or on (office)
tuyen:office_state:told"""
_DOWN = 'label_replace(tuyen:office_state:held{state="down"}, "cause", "$1", "office", "(.+)")'
_DEVICE_INFO = "max by (device, office, district, role) (tuyen_device_info)"
_ROUTER = '* on (device) group_left (office) tuyen:device:info{role="router"}'
# Pings of one packet each are lost whole: how many were, the counters know. The last reading seldom shows it, for what
# is lost is asked again at once. Where a ping is several packets, and some are lost, the readings show it.
_LOST = f"""(
  (rate(tuyen_probe_failures_total[{LINK_WINDOW}]) / rate(tuyen_probes_total[{LINK_WINDOW}]))
    > avg_over_time(tuyen_probe_icmp_loss_ratio[{LINK_WINDOW}])
  or avg_over_time(tuyen_probe_icmp_loss_ratio[{LINK_WINDOW}]))"""
# The minutes around an outage tell of the outage, not of the link's quality.
_QUIET = (
    f'unless on (office) (max by (office) (max_over_time(tuyen_office_state{{state=~"down|unreachable"}}'
    f"[{LINK_WINDOW}])) == 1)"
)


def recording_groups(province: Province, settings: KitSettings) -> dict[str, Any]:
    """Return the file of recording rules. It depends on how deep the tree of offices is, not on the offices."""
    offices = [_rule(BELIEVED, _believed(max(_YOUNG, 2 * settings.round)))]
    offices += [_rule("tuyen:office_state:told", _TOLD), _rule("tuyen:office_state:held", _HELD), _cause(0, _DOWN)]
    offices += [_cause(depth, _behind(depth)) for depth in range(1, depth_of(province) + 1)]
    offices.append(_rule("tuyen:device:info", _DEVICE_INFO))
    slow = duration(4 * settings.interval)
    links = [
        _rule(f"tuyen:link_loss:ratio{LINK_WINDOW}", _of_routers(_LOST)),
        _rule(
            f"tuyen:link_rtt:seconds{LINK_WINDOW}",
            _of_routers(f'avg_over_time(probe_icmp_duration_seconds{{phase="rtt"}}[{LINK_WINDOW}])'),
        ),
    ]
    return {
        "groups": [
            {"name": OFFICES, "rules": offices},
            {"name": LINKS, "interval": slow, "rules": links},
            {"name": SERVICES, "rules": [_errors(window) for window in ERROR_WINDOWS]},
            {"name": LONG, "interval": slow, "rules": [_long_errors(window) for window in LONG_ERROR_WINDOWS]},
        ]
    }


def error_ratio(window: str) -> str:
    """Return the name of a service's error ratio over a window, such as "5m"."""
    return f"tuyen:service_errors:ratio{window}"


def depth_of(province: Province) -> int:
    """Return how many links the office farthest from the root is away from it."""
    deepest = 0
    for office in province.offices.values():
        steps, above = 0, office.parent
        while above and steps < len(province.offices):
            steps, above = steps + 1, province.offices[above].parent
        deepest = max(deepest, steps)
    return deepest


def _rule(record: str, expr: str, **labels: str) -> dict[str, Any]:
    return {"record": record, "expr": expr, **({"labels": labels} if labels else {})}


def _believed(young: int) -> str:
    age = 'time() - max(process_start_time_seconds{job="tuyen"})'
    return f'max(up{{job="tuyen"}}) == 1 and on () {age} >= {young}'


def _cause(depth: int, expr: str) -> dict[str, Any]:
    return _rule("tuyen:office_state:cause", expr, depth=str(depth))


def _behind(depth: int) -> str:
    """Take the cause over from the office above, which an earlier rule of the group has just found."""
    above = f'max by (office, cause) (tuyen:office_state:cause{{depth="{depth - 1}"}})'
    return (
        'tuyen:office_state:held{state="unreachable"}\n'
        f"  * on (parent) group_left (cause) max by (parent, cause) (\n"
        f'      label_replace({above}, "parent", "$1", "office", "(.+)"))'
    )


def _of_routers(expr: str) -> str:
    return f"avg by (office) ({expr}\n  {_ROUTER})\n{_QUIET}"


def _errors(window: str) -> dict[str, Any]:
    """Count time of which nothing is known as good: a new Prometheus does not take its first minute for the hour."""
    step, steps = ERROR_WINDOWS[window]
    bad = f'sum_over_time(tuyen_service_state{{state=~"down|unreachable"}}[{window}:{step}])'
    return _rule(error_ratio(window), f"clamp_max(max by (service) (sum without (state) ({bad})) / {steps}, 1)")


def _long_errors(window: str) -> dict[str, Any]:
    step, steps = LONG_ERROR_WINDOWS[window]
    bad = f"sum_over_time({error_ratio('5m')}[{window}:{step}])"
    return _rule(error_ratio(window), f"clamp_max({bad} / {steps}, 1)")
