"""What happens in the tests of the rules: outages, a silent watch, links, power, certificates, disks, services."""

from collections.abc import Iterator

from exporters.kit.scenarios import HOUR, MINUTE, Expected, Scenario, one_hot

_HALL = {"office": "hall", "name": "Hall", "district": "north", "tier": "district"}
_COMMUNE = {"office": "commune", "name": "Commune", "district": "north", "tier": "commune"}
_WATCH = 'job="tuyen", instance="watch"'
_BOX = {"device": "box.commune", "office": "commune", "district": "north", "role": "server"}
_NODE = {"instance": "box.commune", "office": "commune", "district": "north", "role": "server"}
_LONG = "+0x40000"  # steps: longer than any test
_RUNNING = {f"up{{{_WATCH}}}": f"1{_LONG}", f"process_start_time_seconds{{{_WATCH}}}": f"0{_LONG}"}


def courses(step: int) -> Iterator[Scenario]:
    """Yield the scenarios that go by `step`, a round of the kit."""
    yield _outage(step)
    yield _silent_watch(step)
    yield _machines(step)


def long_courses() -> Iterator[Scenario]:
    """Yield the scenarios of minutes, hours and days, at whatever interval the kit works."""
    yield _link()
    yield _nodes()
    yield _services()
    yield _rollouts()


def _places() -> dict[str, str]:
    facts = {
        "hall": 'name="Hall", tier="district", district="north", parent="centre", medium="fibre"',
        "commune": 'name="Commune", tier="commune", district="north", parent="hall", medium="radio"',
        "centre": 'name="Centre", tier="province", parent="", district="", medium=""',
    }
    return {f'tuyen_office_info{{office="{office}", {said}, {_WATCH}}}': f"1{_LONG}" for office, said in facts.items()}


def _devices(role: str = "server") -> dict[str, str]:
    said = f'device="box.commune", office="commune", district="north", role="{role}", {_WATCH}'
    return {f"tuyen_device_info{{{said}}}": f"1{_LONG}"}


def _outage(step: int) -> Scenario:
    """The hall's uplink is cut after 10 steps, and mended after 20 more."""
    series = {
        **_places(),
        **_RUNNING,
        **dict(one_hot("office", "centre", ("up", 60))),
        **dict(one_hot("office", "hall", ("up", 10), ("down", 20), ("up", 30))),
        **dict(one_hot("office", "commune", ("up", 10), ("unreachable", 20), ("up", 30))),
    }
    return Scenario(
        "a district is cut off: it is down, what lies behind it unreachable, and both know the one cause",
        step,
        series,
        (
            Expected(9 * step, "OfficeDown"),
            Expected(10 * step, "OfficeDown"),
            Expected(13 * step, "OfficeDown", ({**_HALL, "cause": "hall"},)),
            Expected(15 * step, "OfficeUnreachable", ({**_COMMUNE, "cause": "hall"},)),
            Expected(31 * step, "OfficeDown", ({**_HALL, "cause": "hall"},)),
            Expected(33 * step, "OfficeDown"),
            Expected(31 * step, "OfficeUnreachable"),
            Expected(29 * step, "WatchSilent"),
        ),
    )


def _silent_watch(step: int) -> Scenario:
    """The watch dies in an outage, comes back believing that all is well, then nothing, then sees that it is over."""
    state = f'tuyen_office_state{{office="hall", {_WATCH}, state='
    series = {
        f'tuyen_office_info{{office="hall", name="Hall", tier="district", district="north", {_WATCH}}}': (
            "1+0x19 stale _x9 1+0x40"
        ),
        f"up{{{_WATCH}}}": "1+0x19 0+0x10 1+0x40",
        f"process_start_time_seconds{{{_WATCH}}}": f"0+0x19 stale _x9 {30 * step}+0x40",
        f'tuyen_probe_ssh_host_key_matches{{device="box.commune", module="ssh", {_WATCH}}}': (
            "0+0x19 stale _x9 1+0x40"
        ),
        **_devices(),
        f'{state}"down"}}': "1+0x19 stale _x9 0+0x40",
        f'{state}"unknown"}}': "0+0x19 stale _x9 0 1+0x9 0+0x30",
        f'{state}"up"}}': "0+0x19 stale _x9 1 0+0x9 1+0x30",
    }
    held = ({**_HALL, "cause": "hall"},)
    return Scenario(
        "an outage is not called resolved because the watch went away, or began anew",
        step,
        series,
        (
            Expected(18 * step, "OfficeDown", held),
            Expected(27 * step, "OfficeDown", held),
            Expected(29 * step, "WatchSilent", ({},)),
            Expected(28 * step, "HostKeyChanged", (_BOX,)),
            Expected(31 * step, "HostKeyChanged", (_BOX,)),
            Expected(33 * step, "HostKeyChanged"),
            Expected(31 * step, "OfficeDown", held),
            Expected(35 * step, "OfficeDown", held),
            Expected(35 * step, "WatchSilent"),
            Expected(44 * step, "OfficeDown"),
        ),
    )


def _link() -> Scenario:
    """Both links lose packets; only the one nearer to the root is told of."""
    loss = "tuyen_probe_icmp_loss_ratio"
    series = {
        **_places(),
        **_RUNNING,
        **dict(one_hot("office", "hall", ("up", 60))),
        **dict(one_hot("office", "commune", ("up", 60))),
        **{
            f'tuyen_device_info{{device="router.{office}", office="{office}", role="router", {_WATCH}}}': f"1{_LONG}"
            for office in ("hall", "commune")
        },
        f'{loss}{{device="router.hall", module="icmp", {_WATCH}}}': "0+0x59",  # what was lost was asked again at once
        f'tuyen_probes_total{{device="router.hall", module="icmp", {_WATCH}}}': "0+4x59",
        f'tuyen_probe_failures_total{{device="router.hall", module="icmp", {_WATCH}}}': "0+1x59",
        f'{loss}{{device="router.commune", module="icmp", {_WATCH}}}': "0.25+0x59",
    }
    named = {"office": "hall", "name": "Hall", "district": "north", "parent": "centre"}
    return Scenario(
        "a bad link is told once, not for all that lies behind it",
        MINUTE,
        series,
        (Expected(20 * MINUTE, "LinkLoss", (named,), {"percent": "25%"}), Expected(20 * MINUTE, "LinkSlow")),
    )


def _machines(step: int) -> Scenario:
    """Mains fail after 10 steps, for 20, and while the UPS is worked on; a certificate ends; a host key is another."""
    series = {
        **_devices("ups"),
        **_RUNNING,
        f'tuyen_probe_ups_on_battery{{device="box.commune", module="ups", {_WATCH}}}': "0+0x9 1+0x19 0+0x9 1+0x19",
        f'tuyen_probe_ups_battery_charge_ratio{{device="box.commune", module="ups", {_WATCH}}}': "1+0x24 0.1+0x34",
        **dict(one_hot("device", "box.commune", ("up", 10), ("degraded", 20), ("up", 10), ("maintenance", 20))),
        _certificate("a.example"): f"{20 * 86400}{_LONG}",
        _certificate("b.example"): f"{6 * 86400}{_LONG}",
        f'tuyen_probe_ssh_host_key_matches{{device="box.commune", module="ssh", {_WATCH}}}': f"0{_LONG}",
    }
    box = {**_BOX, "role": "ups"}
    left = 10 * step
    return Scenario(
        "power, certificates and host keys",
        step,
        series,
        (
            Expected(9 * step, "UpsOnBattery"),
            Expected(16 * step, "UpsOnBattery", (box,)),
            Expected(16 * step, "UpsBatteryLow"),
            Expected(26 * step, "UpsBatteryLow", (box,)),
            Expected(31 * step, "UpsOnBattery"),
            Expected(55 * step, "UpsOnBattery"),
            Expected(left, "CertificateEnds", ({**box, "about": "a.example"},), {"span": _span(20 * 86400 - left)}),
            Expected(left, "CertificateEndsSoon", ({**box, "about": "b.example"},), {"span": _span(6 * 86400 - left)}),
            Expected(left, "HostKeyChanged", (box,)),
        ),
    )


def _certificate(about: str) -> str:
    said = f'device="box.commune", module="certificate", service="portal", about="{about}", {_WATCH}'
    return f"tuyen_probe_certificate_expiry_timestamp_seconds{{{said}}}"


def _span(seconds: int) -> str:
    """Return seconds, of more than a day, as Prometheus' humanizeDuration does."""
    days, rest = divmod(seconds, 86400)
    return f"{days}d {rest // 3600}h {rest % 3600 // 60}m {rest % 60}s"


def _nodes() -> Scenario:
    """A disk that is nearly full, and a clock that nobody keeps."""
    labels = 'instance="box.commune", office="commune", district="north", role="server", job="node"'
    disk = f'{labels}, mountpoint="/", fstype="ext4", device="/dev/sda1"'
    memory = f'{labels}, mountpoint="/run", fstype="tmpfs", device="tmpfs"'
    series = {
        f"node_filesystem_size_bytes{{{disk}}}": "100+0x60",
        f"node_filesystem_avail_bytes{{{disk}}}": "4+0x60",
        f"node_filesystem_size_bytes{{{memory}}}": "100+0x60",
        f"node_filesystem_avail_bytes{{{memory}}}": "0+0x60",
        f"node_timex_offset_seconds{{{labels}}}": "0+0x60",
        f"node_timex_maxerror_seconds{{{labels}}}": "16+0x60",
        f"node_timex_sync_status{{{labels}}}": "0+0x60",
    }
    return Scenario(
        "disks and clocks, as node_exporter tells them",
        MINUTE,
        series,
        (
            Expected(4 * MINUTE, "DiskFull"),
            Expected(10 * MINUTE, "DiskFull", ({**_NODE, "mountpoint": "/"},), {"percent": "4%"}),
            Expected(20 * MINUTE, "ClockOff", (_NODE,)),
        ),
    )


def _services() -> Scenario:
    """One is down for half an hour: the fast alert comes, and goes soon after. Another begins with two bad minutes."""
    state = f'tuyen_service_state{{service="portal", {_WATCH}, state='
    series = {
        f'{state}"down"}}': "0+0x239 1+0x29 0+0x299",
        f'{state}"up"}}': "1+0x239 0+0x29 1+0x299",
        f'tuyen_service_state{{service="new", {_WATCH}, state="down"}}': "1+0x2 0+0x500",
    }
    portal = {"service": "portal"}
    return Scenario(
        "a service that burns its error budget",
        MINUTE,
        series,
        (
            Expected(2 * MINUTE, "ServiceBurnsFast"),
            Expected(4 * HOUR, "ServiceBurnsFast"),
            Expected(4 * HOUR + 15 * MINUTE, "ServiceBurnsFast", (portal,), {"percent": "26.67%"}),
            Expected(4 * HOUR + 40 * MINUTE, "ServiceBurnsFast"),
        ),
    )


def _rollouts() -> Scenario:
    """One waits, one has failed, one has stood still for more than a day."""
    status = "tuyen_rollout_status{rollout="
    series = {
        f'{status}"a", status="paused", {_WATCH}}}': "1+0x700",
        f'{status}"b", status="failed", {_WATCH}}}': "1+0x700",
        f'{status}"c", status="running", {_WATCH}}}': "1+0x700",
        f'{status}"d", status="running", {_WATCH}}}': "1+0x700",
        f'tuyen_rollout_devices{{rollout="c", state="done", {_WATCH}}}': "5+0x700",
        f'tuyen_rollout_devices{{rollout="d", state="done", {_WATCH}}}': "0+1x700",
        **_RUNNING,
    }
    return Scenario(
        "rollouts that wait, have failed or are stuck",
        5 * MINUTE,
        series,
        (
            Expected(30 * MINUTE, "RolloutPaused"),
            Expected(2 * HOUR, "RolloutPaused", ({"rollout": "a"},)),
            Expected(HOUR, "RolloutFailed", ({"rollout": "b"},)),
            Expected(20 * HOUR, "RolloutStuck"),
            Expected(30 * HOUR, "RolloutStuck", ({"rollout": "c"},)),
        ),
    )
