"""Writes prompts by the chat template of a model file, which is a program by whoever made the file.

Run as `python -m kb.adapters.llama.rendering`, the child process of `chat_template`: it reads one line of JSON and
answers with one. Invariant: it ends within a second of work, in bounded memory, whatever the template does.
"""

import contextlib
import datetime
import json
import signal
import sys
from typing import Any, NoReturn

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from kb.children import forbid_core_dumps

WORK_SECONDS = 1.0
"""Of the processor."""

MEMORY_BYTES = 500_000_000
MAX_PROMPT_CHARS = 1_000_000
MAX_REASON_CHARS = 300

# What a template that does not fit can raise, besides jinja's own errors.
_RENDER_ERRORS = (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError)


def main() -> None:
    """Answers the one request; what nobody foresaw ends the process, and the parent reports that."""
    forbid_core_dumps()
    request = json.loads(sys.stdin.readline())
    _limit()
    try:
        template = _environment().from_string(request["source"])
        answer: Any = [_render(template, request["tokens"], *shape) for shape in request["shapes"]]
    except (TemplateError, RecursionError) as error:
        answer = str(error)[:MAX_REASON_CHARS]
    except MemoryError:
        answer = f"it needs more memory than {MEMORY_BYTES // 1_000_000} MB"
    print(json.dumps(answer))


def _render(template: Template, tokens: dict[str, str], roles: list[str], reasoning: bool) -> tuple[bool, str]:
    """Writes one prompt; each content is its number between two private-use characters.

    Returns:
        Whether that went well, and the text, or the reason.
    """
    messages = [{"role": role, "content": f"\ue000{number}\ue001"} for number, role in enumerate(roles)]
    try:
        text = template.render(messages=messages, add_generation_prompt=True, enable_thinking=reasoning, **tokens)
    except _RENDER_ERRORS as error:
        return False, str(error)[:MAX_REASON_CHARS]
    return (
        (True, text)
        if len(text) <= MAX_PROMPT_CHARS
        else (False, f"it writes more than {MAX_PROMPT_CHARS:,} characters")
    )


def _limit() -> None:
    """Has the system end this process when its time is up and refuse it more memory, where there are such limits."""
    if sys.platform == "win32":
        return
    import resource

    signal.setitimer(signal.ITIMER_PROF, WORK_SECONDS)
    # macOS has the limit and refuses to set it.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _environment() -> ImmutableSandboxedEnvironment:
    """The environment for which chat templates are written: that of `transformers.utils.chat_template_utils`."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _format_now
    return environment


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise_exception(message: str) -> NoReturn:
    raise TemplateError(message)


def _format_now(pattern: str) -> str:
    return datetime.datetime.now().strftime(pattern)


if __name__ == "__main__":
    main()
