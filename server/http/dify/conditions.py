"""Dify's conditions on metadata, by the names that it gives to comparisons (`metadata_filter_type`). Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from kb.errors import InvalidRequest
from server.http.dify.schemas import Condition, MetadataCondition

Compare = Callable[[str, str], bool]

_TEXT: dict[str, Compare] = {
    "contains": lambda found, wanted: wanted in found,
    "not contains": lambda found, wanted: wanted not in found,
    "start with": str.startswith,
    "end with": str.endswith,
    "is": str.__eq__,
    "is not": str.__ne__,
    "=": str.__eq__,
    "≠": str.__ne__,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda found, wanted: found > wanted,
    "<": lambda found, wanted: found < wanted,
    "≥": lambda found, wanted: found >= wanted,
    "≤": lambda found, wanted: found <= wanted,
    "after": lambda found, wanted: found > wanted,
    "before": lambda found, wanted: found < wanted,
}
_DENYING = ("not contains", "is not", "≠")


def passes(metadata: Mapping[str, Any], condition: MetadataCondition | None) -> bool:
    """Whether a record counts.

    Raises:
        InvalidRequest: A comparison is unknown.
    """
    if condition is None or not condition.conditions:
        return True
    held = [_holds(metadata, one) for one in condition.conditions]
    return any(held) if condition.logical_operator == "or" else all(held)


def _holds(metadata: Mapping[str, Any], condition: Condition) -> bool:
    names = [condition.name] if isinstance(condition.name, str) else condition.name
    found = [value for name in names for value in _values(metadata.get(name))]
    wanted = [value.casefold() for value in _values(condition.value)]
    match condition.comparison_operator:
        case "empty":
            return not found
        case "not empty":
            return bool(found)
        case "in":
            return any(value.casefold() in wanted for value in found)
        case "not in":
            return all(value.casefold() not in wanted for value in found)
        case name if name in _TEXT:
            held = [_TEXT[name](value.casefold(), other) for value in found for other in wanted]
            return all(held) if name in _DENYING else any(held)
        case name if name in _ORDER:
            return any(_ORDER[name](*_comparable(value, other)) for value in found for other in wanted)
    known = ", ".join(["empty", "not empty", "in", "not in", *_TEXT, *_ORDER])
    raise InvalidRequest(f"comparison_operator {condition.comparison_operator!r} is unknown", f"there are: {known}")


def _values(value: Any) -> list[str]:
    """All that a value says, as texts."""
    values = value if isinstance(value, list) else [value]
    return [_text(one) for one in values if one is not None and one != ""]


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _comparable(one: str, other: str) -> tuple[float, float] | tuple[str, str]:
    """Two numbers; else two texts, which days in ISO form compare as."""
    try:
        return float(one), float(other)
    except ValueError:
        return one, other
