"""Traces of questions by OpenTelemetry: a span for each, and below it what its time went into. No text is in them."""

import time
from typing import TYPE_CHECKING

from kb.errors import SettingsError
from kb.observing import Observe, request_id
from kb.values.answers import Timings
from kb.values.happenings import Happening, QuestionEnded

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

_NANOSECONDS = 1_000_000_000


def tracing(endpoint: str) -> Observe:
    """Sends traces to a collector, in the background.

    Args:
        endpoint: Address of a collector that speaks OTLP over gRPC.

    Raises:
        SettingsError: What sends them is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise SettingsError("traces cannot be sent: OpenTelemetry is missing", "pip install 'r1-kb[traces]'") from error
    return traced(BatchSpanProcessor(OTLPSpanExporter(endpoint, insecure=endpoint.startswith("http:"))))


def traced(processor: "SpanProcessor") -> Observe:
    """Makes spans of questions.

    Args:
        processor: Takes them.
    """
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(resource=Resource.create({"service.name": "r1-kb"}))
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("r1-kb")

    def observe(happening: Happening) -> None:
        if not isinstance(happening, QuestionEnded):
            return
        end = time.time_ns()
        begin = end - round(happening.seconds * _NANOSECONDS)
        span = tracer.start_span(
            f"chat {happening.model}".strip(),
            start_time=begin,
            attributes=_attributes(happening),
            context=Context(),
        )
        for name, first_ms, last_ms in _steps(happening.timings):
            step = tracer.start_span(name, trace.set_span_in_context(span), start_time=begin + round(first_ms * 1e6))
            step.end(begin + round(last_ms * 1e6))
        span.end(end)

    return observe


def _attributes(ended: QuestionEnded) -> dict[str, str | int | float]:
    spent = ended.timings
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": ended.model,
        "gen_ai.usage.input_tokens": spent.prompt_tokens,
        "gen_ai.usage.cache_read.input_tokens": spent.reused_tokens,
        "gen_ai.usage.output_tokens": spent.reasoning_tokens + spent.answer_tokens,
        "error.type": ended.error,
        "kb.kind": ended.kind,
        "kb.outcome": ended.outcome,
        "kb.passages": ended.passages,
        "kb.citations": ended.citations,
        "kb.queue_seconds": ended.queue_seconds,
        "kb.request_id": request_id.get(),
    }


def _steps(timings: Timings) -> list[tuple[str, float, float]]:
    """What the time went into: name, begin and end in milliseconds since the question."""
    steps = [("retrieve", 0.0, timings.retrieve_ms)]
    if timings.prompt_ms:
        steps += [
            ("read the prompt", timings.retrieve_ms, timings.prompt_ms),
            ("write and check", timings.prompt_ms, timings.total_ms),
        ]
    return [step for step in steps if step[2] > step[1]]
