"""The words of a message: those of the kit's alerts and templates, in the reader's language."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from exporters.alerts.course import Line, Phase
from exporters.alerts.trouble import Trouble
from exporters.kit.alert import FIELDS, annotations_of
from exporters.kit.templates import FIRING, OVER, RESOLVED, SINCE
from inventory.language import N_, in_language

LONGEST = 40  # lines in one message
CAUSE = N_("cause: {cause}")
BEHIND = N_("and {count} offices behind it")
BATTERY = N_("{ups} ran on its battery before the silence")
MORE = N_("and {count} more; see: tuyen outage list --roots")
ACKNOWLEDGE = N_("To be told no more of it for four hours: tuyen outage ack {what} --until 4h")
CAUSES = {"device": N_("device"), "link": N_("link"), "power": N_("power"), "unknown": N_("unknown")}
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def title_of(lines: Sequence[Line], province: str, language: str) -> str:
    """Return the subject of a message, as the kit's template has it."""
    firing = [line for line in lines if line.phase is Phase.FIRING]
    counted = in_language(FIRING, language) if firing else in_language(RESOLVED, language)
    first = _summary((firing or lines)[0].trouble, language)
    return " ".join(f"[{province}] {counted.format(count=len(firing or lines))}: {first}".split())


def text_of(lines: Sequence[Line], zone: ZoneInfo, language: str) -> str:
    """Return the body of a message: what is wrong, then what is over."""
    shown = [*_entries(lines[:LONGEST], zone, language)]
    if len(lines) > LONGEST:
        shown.append(in_language(MORE, language).format(count=len(lines) - LONGEST))
    return "\n".join(shown) + "\n"


def _entries(lines: Sequence[Line], zone: ZoneInfo, language: str) -> Iterator[str]:
    for line in lines:
        firing = line.phase is Phase.FIRING
        when = in_language(SINCE if firing else OVER, language).format(time=_clock(line.at, zone))
        yield f"* {_summary(line.trouble, language)} ({when})"
        if firing:
            yield from (f"  {said}" for said in _more(line.trouble, language))


def _more(trouble: Trouble, language: str) -> Iterator[str]:
    if trouble.behind:
        yield in_language(BEHIND, language).format(count=trouble.behind)
    if trouble.why in CAUSES:
        cause = in_language(CAUSE, language).format(cause=in_language(CAUSES[trouble.why], language))
        ups = in_language(BATTERY, language).format(ups=trouble.ups) if trouble.ups else ""
        yield "; ".join(filter(None, (cause, ups)))
    yield _text(trouble, "description", language)
    if trouble.why:
        yield in_language(ACKNOWLEDGE, language).format(what=trouble.about)


def _summary(trouble: Trouble, language: str) -> str:
    return _text(trouble, "summary", language)


def _text(trouble: Trouble, key: str, language: str) -> str:
    fields = {label: trouble.labels.get(label, "") for label in FIELDS}
    fields |= {"percent": f"{trouble.value * 100:.4g}%", "span": span(trouble.value)}
    return " ".join(annotations_of(trouble.alert, fields)[f"{key}_{language}"].split())


def span(seconds: float) -> str:
    """Return seconds as Prometheus shows them to people, without what hardly matters: "6d 4h", "12m 5s", "0.35s"."""
    if 0 < abs(seconds) < 1:
        return f"{seconds:.2g}s"
    sign, left, parts = "-" if seconds < 0 else "", int(abs(seconds)), list[str]()
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count}{unit}")
    return sign + (" ".join(parts[:2]) or "0s")


def _clock(at: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%H:%M %d/%m/%Y")
