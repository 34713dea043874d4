"""What the servers that speak the OpenAI protocol do each in their own way: one table.

Pure. Which server it is, is found out by `discovery`. What is not in the table is asked for as OpenAI describes it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Fields = dict[str, Any]
"""Members of the body of a request."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of server.

    Attributes:
        name: As its makers write it.
        thinking: Fields for a model and a budget of reasoning in tokens; 0 switches it off.
        switches: Whether reasoning can be switched off.
        budgets: Whether the server itself ends reasoning at its budget; where not, it is broken off and asked anew.
        separates: Whether reasoning always comes in a field of its own, so that no text need be held back.
        counts: How it counts tokens: of messages at once, or of the text that its template makes of them.
        looks: Whether it gives probabilities of the first token.
        window_tokens: Where the server does not say.
        limit: The field for the most tokens of a reply.
        protocol: `ollama` for Ollama's own.
    """

    name: str
    thinking: Callable[[str, int], Fields] = lambda model, budget: {}
    switches: bool = False
    budgets: bool = False
    separates: bool = False
    counts: Literal["messages", "template", ""] = ""
    looks: bool = False
    window_tokens: int = 8192
    limit: str = "max_tokens"
    protocol: Literal["openai", "ollama"] = "openai"


def _vllm(model: str, budget: int) -> Fields:
    on = budget > 0
    fields: Fields = {"chat_template_kwargs": {"enable_thinking": on, "thinking": on}}
    return fields | ({"thinking_token_budget": budget} if on else {})


def _llama_server(model: str, budget: int) -> Fields:
    return {
        "chat_template_kwargs": {"enable_thinking": budget > 0},
        "reasoning_budget_tokens": budget,
        "reasoning_format": "deepseek",
    }


def _deepseek(model: str, budget: int) -> Fields:
    return {"thinking": {"type": "enabled" if budget else "disabled"}}


def _dashscope(model: str, budget: int) -> Fields:
    return {"enable_thinking": True, "thinking_budget": budget} if budget else {"enable_thinking": False}


def _openai(model: str, budget: int) -> Fields:
    if not _OPENAI_THINKS.search(model):
        return {}
    return {"reasoning_effort": "low" if budget <= _LOW_EFFORT_TOKENS else "medium"}


def _ollama(model: str, budget: int) -> Fields:
    return {"think": budget > 0}


_OPENAI_THINKS = re.compile(r"^(?:o\d|gpt-[5-9])")
_LOW_EFFORT_TOKENS = 512

OTHER = Dialect("an OpenAI-compatible server")
VLLM = Dialect("vLLM", _vllm, switches=True, budgets=True, counts="messages", looks=True)
LLAMA_SERVER = Dialect(
    "llama-server", _llama_server, switches=True, budgets=True, separates=True, counts="template", looks=True
)
LM_STUDIO = Dialect("LM Studio")
OLLAMA = Dialect("Ollama", protocol="ollama")
OLLAMA_THINKING = Dialect("Ollama", _ollama, switches=True, separates=True, protocol="ollama")
"""For models that it says can think: for others it refuses the switch."""
DEEPSEEK = Dialect("DeepSeek", _deepseek, switches=True, separates=True, looks=True, window_tokens=131_072)
DASHSCOPE = Dialect("DashScope", _dashscope, switches=True, budgets=True, separates=True, window_tokens=32_768)
OPENAI = Dialect("OpenAI", _openai, separates=True, looks=True, window_tokens=128_000, limit="max_completion_tokens")

BY_HOST: Mapping[str, Dialect] = {
    "api.deepseek.com": DEEPSEEK,
    "dashscope.aliyuncs.com": DASHSCOPE,
    "dashscope-intl.aliyuncs.com": DASHSCOPE,
    "dashscope-us.aliyuncs.com": DASHSCOPE,
    "api.openai.com": OPENAI,
}
BY_OWNER: Mapping[str, Dialect] = {
    "vllm": VLLM,
    "llamacpp": LLAMA_SERVER,
    "library": OLLAMA,
    "organization_owner": LM_STUDIO,
}
"""By `owned_by` in the list of models."""

_THINKS = re.compile(
    r"r1\b|reason|qwq|think|qwen-?3|qwen-(?:plus|turbo|flash|max)|gpt-oss|magistral|seed-oss|glm-(?:4\.[5-9]|[5-9])"
    r"|^deepseek-|^o\d|gpt-[5-9]|kimi-k2|minimax-m",
    re.IGNORECASE,
)
_DOES_NOT_THINK = re.compile(r"instruct|coder|non-?think|embed", re.IGNORECASE)


def name_says_it_thinks(model: str) -> bool:
    """Guesses from its name whether a model thinks before it answers; what it does at its first reply is heeded too."""
    return bool(_THINKS.search(model)) and not _DOES_NOT_THINK.search(model)


def chat(dialect: Dialect, model: str, thinking_tokens: int, reply_tokens: int, seed: int) -> Fields:
    """The body of a request over the OpenAI protocol, all but its messages.

    Args:
        thinking_tokens: 0: it is not to think.
        reply_tokens: For reasoning and answer together.
    """
    sampling: Fields = {"temperature": 0.6, "top_p": 0.95} if thinking_tokens else {"temperature": 0.0}
    if dialect is OPENAI and _OPENAI_THINKS.search(model):
        sampling = {}  # such models refuse any but their own
    return {
        "model": model,
        "stream": True,
        "stream_options": {"include_usage": True},
        dialect.limit: reply_tokens,
        "seed": seed,
        **sampling,
        **dialect.thinking(model, thinking_tokens),
    }


def ollama_chat(
    dialect: Dialect, model: str, thinking_tokens: int, reply_tokens: int, seed: int, window_tokens: int
) -> Fields:
    """The body of a request over Ollama's own protocol, all but its messages.

    Without a window of its own, and without `truncate` and `shift`, Ollama silently drops the beginning of what is
    longer than it sees fit.
    """
    sampling: Fields = {"temperature": 0.6, "top_p": 0.95} if thinking_tokens else {"temperature": 0.0}
    options = {"num_ctx": window_tokens, "num_predict": reply_tokens, "seed": seed, **sampling}
    fields: Fields = {"model": model, "stream": True, "truncate": False, "shift": False, "options": options}
    return fields | dialect.thinking(model, thinking_tokens)
