"""The route, and what it needs: one registry of a service."""

from fastapi import APIRouter, FastAPI, Request, Response
from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from server.http.metrics.counting import Counting
from server.http.metrics.requests import Measured
from server.http.metrics.state import StateCollector
from server.http.threads import in_thread

router = APIRouter()


def measure(app: FastAPI) -> None:
    """Has all that happens in a service counted; to be called when the rest of its middleware is there."""
    disable_created_metrics()
    state, registry = app.state, CollectorRegistry()
    state.metrics = registry
    ProcessCollector(registry=registry)
    registry.register(StateCollector(state.knowledge_base, state.pipeline, state.threads))
    state.knowledge_base.observers.add(Counting(registry))
    app.add_middleware(Measured, registry=registry)
    app.include_router(router)


@router.get(
    "/metrics",
    summary="Measure the service",
    response_class=Response,
    responses={200: {"description": "For Prometheus.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    """Counters, histograms and gauges in the text format of Prometheus, or that of OpenMetrics where it is accepted."""
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    registry: CollectorRegistry = request.app.state.metrics
    text = await in_thread(request.app.state.threads.state, lambda: encode(registry))
    return Response(text, media_type=media_type)
