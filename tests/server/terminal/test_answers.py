import pytest

from server.http.schemas import Passage, StepEvent
from server.terminal.answers import AnswerView, show_passages


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (StepEvent(doing="part", number=2, of=3, about="What does A cost?"), "looking up part 2 of 3: What does A"),
        (StepEvent(doing="section", number=14, of=0, about="Care"), "reading section 14: Care"),
        (StepEvent(doing="compose", number=1, of=1, about=""), "putting the answer together"),
    ],
)
def test_step_is_told_where_errors_go(step: StepEvent, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    AnswerView(show_reasoning=False).show(step)
    assert line in capsys.readouterr().err


@pytest.mark.parametrize(("label", "place"), [("", "p. 3"), ("1", "p. 1 (sheet 3)"), ("iv", "p. iv (sheet 3)")])
def test_page_is_told_as_it_is_printed_and_as_a_viewer_counts(
    label: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {"number": 1, "document_id": "d", "title": "t", "source": "a.pdf", "page": 3, "page_label": label}
    rest = {"heading": "Domes", "start": 0, "end": 1, "text": "x", "score": 1.0, "similarity": None}
    show_passages([Passage.model_validate({**found, **rest})])
    assert f"1. a.pdf · {place} · Domes" in capsys.readouterr().out
