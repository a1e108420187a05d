"""Recording rules: the state of each office as last known, whose fault its silence is, its link, services' errors."""

from typing import Any

from exporters.kit.settings import KitSettings, duration
from inventory.model import Province

LINK_WINDOW = "10m"
ERROR_WINDOWS = ("5m", "30m", "1h")
LONG_ERROR_WINDOWS = {"6h": "1m", "3d": "5m"}  # and between which points of the shortest window they are averaged
OFFICES, LINKS, SERVICES, LONG = RECORDING_GROUPS = (
    "tuyen-offices",
    "tuyen-links",
    "tuyen-services",
    "tuyen-services-long",
)
_FACTS = "name, district, tier, parent, medium"
_YOUNG = 30  # seconds, at least: a watch that has just begun takes what it has not yet asked twice for well
_TOLD = f"""\
max by (office, state) (tuyen_office_state{{state!="unknown"}} == 1)
  * on (office) group_left ({_FACTS}) max by (office, {_FACTS}) (tuyen_office_info)"""
# What is known of each office; where nothing is (the watch is silent, or has just begun), what was known before.
# Without that, every outage would be called resolved whenever the watch goes away.
_HELD = """\
(tuyen:office_state:told unless on () {young})
or on (office)
(tuyen:office_state:held and on () {young})
or on (office)
(tuyen:office_state:held and on (office) tuyen_office_state{{state="unknown"}} == 1)
or on (office)
(tuyen:office_state:held unless on () up{{job="tuyen"}} == 1)
or on (office)
tuyen:office_state:told"""
_DOWN = 'label_replace(tuyen:office_state:held{state="down"}, "cause", "$1", "office", "(.+)")'
_DEVICE_INFO = "max by (device, office, district, role) (tuyen_device_info)"
_ROUTER = '* on (device) group_left (office) tuyen:device:info{role="router"}'
# The minutes around an outage tell of the outage, not of the link's quality.
_QUIET = (
    f'unless on (office) (max by (office) (max_over_time(tuyen_office_state{{state=~"down|unreachable"}}'
    f"[{LINK_WINDOW}])) == 1)"
)


def recording_groups(province: Province, settings: KitSettings) -> dict[str, Any]:
    """Return the file of recording rules. It depends on how deep the tree of offices is, not on the offices."""
    young = f'(time() - max(process_start_time_seconds{{job="tuyen"}}) < {max(_YOUNG, 2 * settings.round)})'
    held = _rule("tuyen:office_state:held", _HELD.format(young=young))
    offices = [_rule("tuyen:office_state:told", _TOLD), held, _cause(0, _DOWN)]
    offices += [_cause(depth, _behind(depth)) for depth in range(1, depth_of(province) + 1)]
    offices.append(_rule("tuyen:device:info", _DEVICE_INFO))
    slow = duration(4 * settings.interval)
    links = [
        _rule(f"tuyen:link_loss:ratio{LINK_WINDOW}", _averaged("tuyen_probe_icmp_loss_ratio")),
        _rule(f"tuyen:link_rtt:seconds{LINK_WINDOW}", _averaged('probe_icmp_duration_seconds{phase="rtt"}')),
    ]
    return {
        "groups": [
            {"name": OFFICES, "rules": offices},
            {"name": LINKS, "interval": slow, "rules": links},
            {"name": SERVICES, "rules": [_errors(window) for window in ERROR_WINDOWS]},
            {"name": LONG, "interval": slow, "rules": [_long_errors(*window) for window in LONG_ERROR_WINDOWS.items()]},
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


def _averaged(metric: str) -> str:
    return f"avg by (office) (avg_over_time({metric}[{LINK_WINDOW}])\n  {_ROUTER})\n{_QUIET}"


def _errors(window: str) -> dict[str, Any]:
    bad = f'avg_over_time(tuyen_service_state{{state=~"down|unreachable"}}[{window}])'
    return _rule(error_ratio(window), f"max by (service) (sum without (state) ({bad}))")


def _long_errors(window: str, step: str) -> dict[str, Any]:
    return _rule(error_ratio(window), f"avg_over_time({error_ratio(ERROR_WINDOWS[0])}[{window}:{step}])")
