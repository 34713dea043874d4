"""Options that are not written out one by one: those that commands share, and a flag for each setting.

Typer reads the signature of a command; here it is made.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin, get_type_hints

import typer
from pydantic.fields import FieldInfo

from server.settings import ServerSettings

NO_FLAGS = ("folders", "token", "api_key")
"""Folders are the arguments of `kb serve`; and what a command line holds, others see in the list of processes."""

Command = Callable[..., None]


def spread(command: Command) -> Command:
    """Gives a command an option for each field of the dataclasses that it takes."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if isinstance(kind, type) and dataclasses.is_dataclass(kind)}
    parameters = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name in groups:
            parameters += _fields_of(groups[parameter.name])
        else:
            parameters.append(_option(parameter.name, hints[parameter.name], parameter.default))

    @functools.wraps(command)
    def run(**given: Any) -> None:
        made = {
            name: kind(**{field.name: given.pop(field.name) for field in dataclasses.fields(kind)})
            for name, kind in groups.items()
        }
        command(**given, **made)

    return _with_signature(run, parameters)


def with_settings(command: Command) -> Command:
    """Gives a command a flag for each setting; it gets them by the names of the fields, None where not given."""
    own = [
        parameter
        for parameter in inspect.signature(command, eval_str=True).parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]
    flags = [_flag(name, field) for name, field in ServerSettings.model_fields.items() if name not in NO_FLAGS]
    return _with_signature(command, [*own, *flags])


def _flag(name: str, field: FieldInfo) -> inspect.Parameter:
    kind: Any = field.annotation
    if kind not in (int, float, Path) and get_origin(kind) is not Literal:
        kind = str  # as in an environment variable
    default = str(field.default) if not field.is_required() and field.default not in ("", (), {}) else False
    option = typer.Option(help=field.description, show_default=default, rich_help_panel="Settings")
    return _option(name, Annotated[kind | None, option], None)


def _fields_of(kind: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [_option(field.name, hints[field.name], field.default) for field in dataclasses.fields(kind)]


def _option(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _with_signature(command: Command, parameters: list[inspect.Parameter]) -> Command:
    keywords = [parameter.replace(kind=parameter.KEYWORD_ONLY) for parameter in parameters]
    # What `inspect.signature` reads, and so Typer; the type of functions does not tell of it.
    command.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    return command
