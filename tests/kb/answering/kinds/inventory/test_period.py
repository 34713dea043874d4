import datetime

import pytest

from kb.answering.kinds.inventory.period import period_in

TODAY = datetime.date(2026, 1, 14)  # a Wednesday


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("files from 2022", "2022-01-01", "2022-12-31"),
        ("2022年的文件", "2022-01-01", "2022-12-31"),
        ("files of March 2025", "2025-03-01", "2025-03-31"),
        ("2024年2月的文件", "2024-02-01", "2024-02-29"),
        ("2025年12月", "2025-12-01", "2025-12-31"),
        ("十月份的文件", "2025-10-01", "2025-10-31"),
        ("on 3 May 2024", "2024-05-03", "2024-05-03"),
        ("2024年5月3日", "2024-05-03", "2024-05-03"),
        ("What came in today?", "2026-01-14", "2026-01-14"),
        ("昨天新加的", "2026-01-13", "2026-01-13"),
        ("this week", "2026-01-12", "2026-01-18"),
        ("这周", "2026-01-12", "2026-01-18"),
        ("last week", "2026-01-05", "2026-01-11"),
        ("上个月", "2025-12-01", "2025-12-31"),
        ("last month", "2025-12-01", "2025-12-31"),
        ("this year", "2026-01-01", "2026-12-31"),
        ("去年", "2025-01-01", "2025-12-31"),
    ],
)
def test_period_is_read_in_both_languages(question: str, since: str, until: str) -> None:
    period = period_in(question, TODAY)
    assert period
    assert (str(period.since), str(period.until)) == (since, until)


@pytest.mark.parametrize("question", ["Which files mention tea?", "哪些文件提到茶？", "files about the E2022 code"])
def test_without_one_there_is_none(question: str) -> None:
    assert period_in(question, TODAY) is None


def test_place_of_the_words_is_told() -> None:
    period = period_in("Files from 2022, please", TODAY)
    assert period
    assert "Files from 2022, please"[period.start : period.end] == "2022"
