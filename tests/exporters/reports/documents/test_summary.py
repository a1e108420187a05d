"""The sentences that management reads."""

from dataclasses import replace
from datetime import date

import pytest

from exporters.reports.documents.uptime_summary import summary
from exporters.reports.figures import Amounts, Figures, UptimeReport
from inventory.model import Province
from tests.exporters.reports.documents.october import october, report_of

HOUR = 3_600_000_000


def with_total(report: UptimeReport, now: Amounts, before: Amounts) -> UptimeReport:
    """Return a report of these amounts, in all hours only."""
    return replace(
        report,
        total=replace(report.total, now=Figures(all_hours=now), before=Figures(all_hours=before)),
        causes=(),
        worst=(),
    )


@pytest.mark.parametrize(
    ("away", "away_before", "comparison"),
    [
        (10, 20, "were available for 99.00% of the time, which is 1.00 percentage points more than in September 2026."),
        (20, 10, "were available for 98.00% of the time, which is 1.00 percentage points less than in September 2026."),
        (10, 10, "were available for 99.00% of the time, as in September 2026."),
    ],
)
def test_better_worse_or_as_before(report: UptimeReport, away: int, away_before: int, comparison: str) -> None:
    changed = with_total(
        report, Amounts(observed=1000 * HOUR, away=away * HOUR), Amounts(observed=1000 * HOUR, away=away_before * HOUR)
    )
    assert comparison in " ".join(summary(changed, "en"))


def test_without_a_month_before(report: UptimeReport) -> None:
    changed = with_total(report, Amounts(observed=1000 * HOUR), Amounts())
    told = summary(changed, "en")
    assert told[0].endswith("and there are no figures for September 2026 to compare with.")
    assert told[1] == "No outage took anything away from the offices."


def test_working_hours_are_what_is_compared(report: UptimeReport) -> None:
    better, worse = Amounts(observed=1000 * HOUR), Amounts(observed=1000 * HOUR, away=30 * HOUR)
    total = replace(report.total, now=Figures(better, worse), before=Figures(worse, better))
    assert summary(replace(report, total=total), "en")[0].endswith(
        "were available for 100.00% of the time; in working hours for 97.00%, "
        "which is 3.00 percentage points less than in September 2026."
    )


def test_what_was_not_watched_is_told(report: UptimeReport) -> None:
    assert summary(report, "en")[-1] == (
        "The figures rest on 98.99% of the period; the rest was not watched and is not counted."
    )


def test_a_period_that_lasts_is_told_first(report: UptimeReport) -> None:
    lasting = replace(report, period=replace(report.period, until=report.period.end - 31 * 24 * HOUR + 30 * HOUR))
    assert summary(lasting, "en")[0] == "The period has not ended: figures up to 06:00 on 02/10/2026 only."


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 10, 5), date(2026, 10, 11), "Over week 41 of 2026 (05/10/2026 to 11/10/2026), the 208 offices"),
        (date(2026, 10, 5), date(2026, 10, 5), "Over the day 05/10/2026, the 208 offices"),
        (date(2026, 10, 5), date(2026, 10, 7), "Over the days 05/10/2026 to 07/10/2026, the 208 offices"),
        (date(2026, 10, 1), date(2026, 10, 31), "Over October 2026, the 208 offices of Tỉnh Kiên Giang"),
    ],
)
def test_periods_in_words(province: Province, first: date, last: date, words: str) -> None:
    assert summary(report_of(province, first, last), "en")[0].startswith(words)


def test_vietnamese(province: Province) -> None:
    told = " ".join(summary(october(province), "vi"))
    assert "208 địa điểm của tỉnh Kiên Giang" in told
    assert "99,78\N{NO-BREAK SPACE}%" in told
    assert "336 giờ 29 phút" in told
    assert "mất điện" in told
