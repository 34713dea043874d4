import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kb.values.answers import Timings
from kb.values.happenings import IndexExchanged, QuestionEnded
from server.http.traces import traced


def test_a_question_is_a_span_with_what_its_time_went_into() -> None:
    exporter = InMemorySpanExporter()
    observe = traced(SimpleSpanProcessor(exporter))
    timings = Timings(retrieve_ms=100.0, prompt_ms=900.0, total_ms=2000.0, prompt_tokens=300, answer_tokens=20)
    observe(IndexExchanged())
    observe(QuestionEnded("lookup", "auto", "answered", model="m", seconds=2.0, timings=timings))
    *steps, whole = exporter.get_finished_spans()
    assert whole.name == "chat m"
    assert whole.attributes
    assert whole.attributes["gen_ai.usage.input_tokens"] == 300
    assert whole.attributes["kb.outcome"] == "answered"
    assert [step.name for step in steps] == ["retrieve", "read the prompt", "write and check"]
    for step, seconds in zip(steps, (0.1, 0.8, 1.1), strict=True):
        assert step.parent and step.parent.span_id == whole.context.span_id
        assert step.start_time and step.end_time
        assert (step.end_time - step.start_time) / 1e9 == pytest.approx(seconds, abs=1e-6)
    assert whole.start_time and whole.end_time
    assert (whole.end_time - whole.start_time) / 1e9 == pytest.approx(2.0, abs=1e-6)


def test_a_question_without_a_model_has_no_steps_of_one() -> None:
    exporter = InMemorySpanExporter()
    traced(SimpleSpanProcessor(exporter))(QuestionEnded("lookup", "auto", "declined", seconds=0.1))
    (whole,) = exporter.get_finished_spans()
    assert whole.name == "chat"
