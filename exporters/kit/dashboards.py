"""The dashboards: the province, one office, the services, the watch itself."""

from exporters.kit.course_alerts import BUDGET
from exporters.kit.panels import Dashboard, Panel, Query, state_number
from exporters.kit.recording import ERROR_WINDOWS, LINK_WINDOW, LONG_ERROR_WINDOWS, error_ratio
from inventory.language import N_

_BAD = ((None, "green"), (1, "red"))
_DAYS = ((None, "red"), (7, "yellow"), (30, "green"))
_OF_OFFICE = '* on (device) group_left () tuyen:device:info{office="$office"}'
_CERTIFICATE = "max by (device, about) (tuyen_probe_certificate_expiry_timestamp_seconds)"


def _count(state: str, title: str, colour: str) -> Panel:
    query = Query(f'count(tuyen:office_state:held{{state="{state}"}}) or vector(0)')
    return Panel("stat", title, [query], width=4, height=4, limits=((None, "green"), (1, colour)))


PROVINCE = Dashboard(
    "province",
    N_("The province"),
    [
        Panel(
            "stat",
            N_("Offices up"),
            [Query('count(tuyen:office_state:held{state=~"up|degraded"}) / count(tuyen:office_state:held)')],
            width=4,
            height=4,
            unit="percentunit",
            limits=((None, "red"), (0.95, "yellow"), (0.99, "green")),
        ),
        _count("down", N_("Offices down"), "red"),
        _count("unreachable", N_("Offices unreachable"), "purple"),
        _count("degraded", N_("Offices degraded"), "yellow"),
        Panel(
            "stat",
            N_("Services not up"),
            [Query('count(max by (service) (tuyen_service_state{state="up"}) == 0) or vector(0)')],
            width=4,
            height=4,
            limits=_BAD,
        ),
        Panel("stat", N_("The watch answers"), [Query('max(up{job="tuyen"})')], width=4, height=4),
        Panel(
            "table",
            N_("Alerts"),
            [Query('max by (alertname, severity, name, device, service, rollout) (ALERTS{alertstate="firing"})')],
            hidden=("Value",),
        ),
        Panel(
            "table",
            N_("Offices that are not up"),
            [Query('max by (name, district, tier, state) (tuyen:office_state:held{state!="up"})')],
            hidden=("Value",),
        ),
        Panel(
            "bargauge",
            N_("Offices up by district"),
            [
                Query(
                    'count by (district) (tuyen:office_state:held{state=~"up|degraded"}) '
                    "/ count by (district) (tuyen:office_state:held)",
                    "{{district}}",
                )
            ],
            unit="percentunit",
            limits=((None, "red"), (0.95, "yellow"), (0.99, "green")),
        ),
        Panel(
            "timeseries",
            N_("Offices that are not up, by state"),
            [Query('count by (state) (tuyen:office_state:held{state!="up"})', "{{state}}")],
        ),
    ],
)

OFFICE = Dashboard(
    "office",
    N_("An office"),
    [
        Panel(
            "state-timeline",
            N_("State of the office"),
            [Query(state_number("office", ', office="$office"'), "{{office}}")],
            width=24,
            height=4,
            states=True,
        ),
        Panel(
            "state-timeline",
            N_("State of its devices"),
            [Query(f"({state_number('device')}) {_OF_OFFICE}", "{{device}}")],
            width=24,
            height=10,
            states=True,
        ),
        Panel(
            "timeseries",
            N_("Answer to ping"),
            [Query(f'max by (device) (probe_icmp_duration_seconds{{phase="rtt"}}) {_OF_OFFICE}', "{{device}}")],
            unit="s",
        ),
        Panel(
            "timeseries",
            N_("Loss on the link"),
            [Query(f'tuyen:link_loss:ratio{LINK_WINDOW}{{office="$office"}}', "{{office}}")],
            unit="percentunit",
        ),
        Panel(
            "timeseries",
            N_("Charge of the battery"),
            [Query(f"max by (device) (tuyen_probe_ups_battery_charge_ratio) {_OF_OFFICE}", "{{device}}")],
            unit="percentunit",
        ),
        Panel(
            "table",
            N_("Days until the warranty ends"),
            [
                Query(
                    f"((max by (device) (tuyen_warranty_end_timestamp_seconds) - time()) / 86400) {_OF_OFFICE}",
                )
            ],
            unit="d",
        ),
    ],
    {"office": "label_values(tuyen_office_info, office)"},
)

SERVICES = Dashboard(
    "services",
    N_("Services"),
    [
        Panel(
            "state-timeline",
            N_("State of the services"),
            [Query(state_number("service"), "{{service}}")],
            width=24,
            states=True,
        ),
        Panel(
            "timeseries",
            N_("How fast the error budget burns (1: it lasts exactly)"),
            [Query(f"{error_ratio('1h')} / {BUDGET}", "{{service}}")],
        ),
        Panel(
            "timeseries",
            N_("Share of the time down, by window"),
            [
                Query(error_ratio(window), f"{{{{service}}}} {window}")
                for window in (*ERROR_WINDOWS, *LONG_ERROR_WINDOWS)
            ],
            unit="percentunit",
        ),
        Panel(
            "timeseries",
            N_("Seconds for an answer"),
            [Query('max by (service, about) (probe_duration_seconds{service!=""})', "{{service}} {{about}}")],
            unit="s",
        ),
        Panel(
            "bargauge",
            N_("Days until certificates end"),
            [Query(f"({_CERTIFICATE} - time()) / 86400", "{{device}} {{about}}")],
            unit="d",
            limits=_DAYS,
        ),
    ],
)

WATCH = Dashboard(
    "watch",
    N_("The watch itself"),
    [
        Panel("stat", N_("It answers"), [Query('max(up{job="tuyen"})')], width=6, height=4),
        Panel("stat", N_("Questions"), [Query("max(tuyen_watch_questions)")], width=6, height=4),
        Panel("stat", N_("Under way"), [Query("max(tuyen_watch_running)")], width=6, height=4),
        Panel(
            "stat",
            N_("The province's files are good"),
            [Query("max(tuyen_province_load_success)")],
            width=6,
            height=4,
            limits=((None, "red"), (1, "green")),
        ),
        Panel(
            "timeseries",
            N_("Questions a second"),
            [Query("sum by (module) (rate(tuyen_probes_total[5m]))", "{{module}}")],
        ),
        Panel(
            "timeseries",
            N_("Answers that were missing or wrong, a second"),
            [Query("sum by (module) (rate(tuyen_probe_failures_total[5m]))", "{{module}}")],
        ),
        Panel(
            "timeseries",
            N_("Questions that found no free place, a second"),
            [Query("sum(rate(tuyen_watch_postponed_total[5m]))")],
        ),
        Panel(
            "timeseries",
            N_("Seconds for an answer, 95 of 100"),
            [Query("quantile by (module) (0.95, probe_duration_seconds)", "{{module}}")],
            unit="s",
        ),
        Panel(
            "timeseries",
            N_("Memory"),
            [Query('process_resident_memory_bytes{job="tuyen"}', "{{instance}}")],
            unit="bytes",
        ),
        Panel(
            "timeseries",
            N_("Processor"),
            [Query('rate(process_cpu_seconds_total{job="tuyen"}[5m])', "{{instance}}")],
            unit="percentunit",
        ),
    ],
)

DASHBOARDS = (PROVINCE, OFFICE, SERVICES, WATCH)
