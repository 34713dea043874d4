"""What routes are given, and how they describe the errors that they answer with."""

from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel

from ingest.pipeline.pipeline import Pipeline
from kb.knowledge_base import KnowledgeBase
from server.http import schemas
from server.http.threads import Threads
from server.settings import ServerSettings

Errors = dict[int | str, dict[str, Any]]


async def _knowledge_base(request: Request) -> KnowledgeBase:
    knowledge_base: KnowledgeBase = request.app.state.knowledge_base
    return knowledge_base


async def _pipeline(request: Request) -> Pipeline:
    pipeline: Pipeline = request.app.state.pipeline
    return pipeline


async def _threads(request: Request) -> Threads:
    threads: Threads = request.app.state.threads
    return threads


async def _settings(request: Request) -> ServerSettings:
    settings: ServerSettings = request.app.state.settings
    return settings


Configured = Annotated[ServerSettings, Depends(_settings)]
Knowledge = Annotated[KnowledgeBase, Depends(_knowledge_base)]
Watching = Annotated[Pipeline, Depends(_pipeline)]
Working = Annotated[Threads, Depends(_threads)]


def base_url(request: Request) -> str:
    """Where people reach the page: as set, else as this client has called the service; without a slash at its end."""
    settings: ServerSettings = request.app.state.settings
    return (settings.public_url or str(request.base_url)).rstrip("/")


def errors(body: type[BaseModel] = schemas.ErrorResponse, **reasons: str) -> Errors:
    """The `responses` of a route.

    Args:
        body: Of each of them.
        reasons: By status, with an underscore before it.
    """
    return {int(key.lstrip("_")): {"model": body, "description": text} for key, text in reasons.items()}
