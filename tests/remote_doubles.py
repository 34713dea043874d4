"""Doubles of servers that answer over HTTP, each as strict and as odd as the real one: real sockets, no real model.

What a double does not know, it refuses as the real one would: a wrong field, a wrong model, a prompt that is too long.
They count a word or a mark as a token, and write one a piece.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

KEY = "sk-test-0123456789"
_TOKEN = re.compile(r"\w+|[^\w\s]")


def tokens_of(text: str) -> list[str]:
    return _TOKEN.findall(text)


class Refusal(Exception):
    """A status and a body."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


def openai_error(status: int, message: str, code: str | None = None, kind: str = "invalid_request_error") -> Refusal:
    return Refusal(status, {"error": {"message": message, "type": kind, "param": None, "code": code}})


@dataclass
class Double:
    """A server, in all that doubles have in common.

    Attributes:
        answer: What it writes, a piece at a time.
        reasoning: What it thinks before.
        marked: Reply as raw pieces of content, in the place of both.
        window: In tokens.
        pause: Seconds before each piece.
        silence: Seconds before the first byte.
        failures: Given instead of an answer to the next chats, one each.
        break_after: Closes the connection after so many pieces; -1: never.
        error_after: Puts an error object after so many pieces; -1: never.
        logprobs: Of the first token, by token.
    """

    answer: Sequence[str] = ("It", " is", " on", " page", " nine", ".")
    reasoning: Sequence[str] = ()
    marked: Sequence[str] | None = None
    model: str = "some-model"
    window: int = 4096
    pause: float = 0.0
    silence: float = 0.0
    failures: list[Refusal] = field(default_factory=list)
    break_after: int = -1
    error_after: int = -1
    logprobs: Mapping[str, float] = field(default_factory=lambda: {"Yes": -0.2, "No": -2.0, "Maybe": -5.0})
    url: str = ""

    def __post_init__(self) -> None:
        self.chats: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.running = 0
        self.closed_by_client: list[float] = []

    key = ""
    sends_null = False

    def handle(self, method: str, path: str, body: Any) -> object:
        """Answers all but chats: JSON, or a refusal."""
        raise Refusal(404, {"error": {"message": "File Not Found", "type": "not_found_error", "code": 404}})

    def check(self, body: dict[str, Any]) -> None:
        """Refuses what the real one refuses in a chat."""

    def thinks(self, body: dict[str, Any]) -> int:
        """How many tokens it thinks for a request."""
        raise NotImplementedError

    def is_chat(self, path: str) -> bool:
        return path == "/v1/chat/completions"

    def prompt_tokens(self, messages: Sequence[Mapping[str, Any]]) -> int:
        return 3 + sum(4 + len(tokens_of(str(message["content"]))) for message in messages)

    def limit(self, body: dict[str, Any]) -> int:
        return int(body.get("max_tokens") or body.get("max_completion_tokens") or 10**9)

    reasoning_field = "reasoning_content"

    def reply(self, body: dict[str, Any]) -> Iterator[str]:
        """The lines of a reply that streams."""
        thought = list(self.reasoning[: self.thinks(body)])
        text = list(self.answer if self.marked is None else self.marked)
        limit = self.limit(body)
        pieces = [(self.reasoning_field, piece) for piece in thought] + [("content", piece) for piece in text]
        finish = "length" if len(pieces) > limit else "stop"
        yield self.chunk({"role": "assistant", "content": None if self.sends_null else ""})
        for name, piece in pieces[:limit]:
            yield self.chunk({name: piece})
        yield self.chunk({}, finish)
        said = len(pieces[:limit])
        if (body.get("stream_options") or {}).get("include_usage"):
            usage: dict[str, Any] = {"prompt_tokens": self.prompt_tokens(body["messages"]), "completion_tokens": said}
            usage |= self.usage_details(min(len(thought), said))
            yield f"data: {json.dumps({'choices': [], 'usage': usage})}\n\n"
        yield "data: [DONE]\n\n"

    def usage_details(self, thought: int) -> dict[str, Any]:
        return {}

    def chunk(self, delta: Mapping[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": self.model, "choices": [choice]}
        return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"

    def error_line(self) -> str:
        error = {"message": "The model stopped unexpectedly.", "type": "server_error", "param": None, "code": None}
        return f"data: {json.dumps({'error': error})}\n\n"

    def look(self, body: dict[str, Any]) -> object:
        """A reply that does not stream, with probabilities."""
        shown = [{"token": token, "logprob": value} for token, value in self.logprobs.items()]
        place = shown[0] | {"top_logprobs": shown[: body.get("top_logprobs", 0)]}
        content = {"content": [place]} if body.get("logprobs") else None
        message = {"role": "assistant", "content": shown[0]["token"]}
        return {"choices": [{"index": 0, "message": message, "logprobs": content, "finish_reason": "length"}]}


class VLLM(Double):
    """`reasoning` only; counts messages; refuses what does not fit with its reply; a budget of thinking."""

    reasoning_field = "reasoning"

    def handle(self, method: str, path: str, body: Any) -> object:
        if path == "/v1/models":
            model = {"id": self.model, "object": "model", "owned_by": "vllm", "max_model_len": self.window}
            return {"object": "list", "data": [model]}
        if path == "/tokenize":
            if "messages" in body:
                return {"count": self.prompt_tokens(body["messages"]), "max_model_len": self.window, "tokens": []}
            return {"count": len(tokens_of(body["prompt"])), "max_model_len": self.window, "tokens": []}
        return super().handle(method, path, body)

    def check(self, body: dict[str, Any]) -> None:
        if body["model"] != self.model:
            raise openai_error(404, f"The model `{body['model']}` does not exist.", kind="NotFoundError")
        if body.get("top_logprobs", 0) > 20:
            raise openai_error(400, "Requested sample logprobs of 21, which is greater than max allowed: 20")
        needed = self.prompt_tokens(body["messages"]) + body.get("max_tokens", 0)
        if needed > self.window:
            message = f"This model's maximum context length is {self.window} tokens. However, you requested {needed}"
            raise openai_error(400, message, kind="BadRequestError")

    def thinks(self, body: dict[str, Any]) -> int:
        is_on = (body.get("chat_template_kwargs") or {}).get("enable_thinking", True)
        return body.get("thinking_token_budget", 10**9) if is_on else 0


class LlamaServer(Double):
    """First `content: null`; refuses a prompt that is too long; its R1 template thinks whatever it is told."""

    sends_null = True
    template = "{% for message in messages %}…{% endfor %}<think>\n"

    def handle(self, method: str, path: str, body: Any) -> object:
        if path == "/v1/models":
            return {"object": "list", "data": [{"id": "/models/a.gguf", "object": "model", "owned_by": "llamacpp"}]}
        if path == "/props":
            template = self.template if self.reasoning or self.marked else "{% for message in messages %}…{% endfor %}"
            return {"default_generation_settings": {"n_ctx": self.window}, "chat_template": template}
        if path == "/apply-template":
            texts = "".join(f"<s> {m['role']}: {m['content']} </s>"[:-1] for m in body["messages"])
            return {"prompt": f"{texts} A {'<think>' if self.reasoning else ''}"}
        if path == "/tokenize":
            return {"tokens": list(range(len(tokens_of(body["content"]))))}
        return super().handle(method, path, body)

    def prompt_tokens(self, messages: Sequence[Mapping[str, Any]]) -> int:
        made = self.handle("POST", "/apply-template", {"messages": messages})
        return len(tokens_of(made["prompt"]))  # type: ignore[index]

    def check(self, body: dict[str, Any]) -> None:
        tokens = self.prompt_tokens(body["messages"])
        if tokens >= self.window:
            message = f"request ({tokens} tokens) exceeds the available context size ({self.window} tokens)"
            error = {"code": 400, "message": message, "type": "exceed_context_size_error"}
            raise Refusal(400, {"error": error | {"n_prompt_tokens": tokens, "n_ctx": self.window}})

    def thinks(self, body: dict[str, Any]) -> int:
        if body["messages"][-1]["role"] == "assistant":
            return 0
        return body.get("reasoning_budget_tokens") or 10**9


class Ollama(Double):
    """Its own protocol; a switch for those that can think alone; cuts silently unless told not to."""

    def handle(self, method: str, path: str, body: Any) -> object:
        if path == "/api/show":
            if body["model"] != self.model:
                raise Refusal(404, {"error": f"model '{body['model']}' not found"})
            capabilities = ["completion", *(["thinking"] if self.reasoning or self.marked else [])]
            return {"capabilities": capabilities, "model_info": {"qwen2.context_length": 32768}}
        if path == "/api/tags":
            return {"models": [{"name": "some-model:latest"}, {"name": "other:7b"}]}
        if path == "/v1/models":
            return {"object": "list", "data": [{"id": self.model, "object": "model", "owned_by": "library"}]}
        raise Refusal(404, "404 page not found")

    def is_chat(self, path: str) -> bool:
        return path == "/api/chat"

    def check(self, body: dict[str, Any]) -> None:
        unknown = body.keys() - {"model", "messages", "stream", "think", "options", "truncate", "shift"}
        assert not unknown, f"Ollama would pass over {unknown}"
        if body.get("think") and not (self.reasoning or self.marked):
            raise Refusal(400, {"error": f'"{body["model"]}" does not support thinking'})
        window = body["options"].get("num_ctx", 4096)
        tokens = self.prompt_tokens(body["messages"])
        assert body.get("truncate") is False, "it would cut the prompt without a word"
        if tokens > window:
            raise Refusal(400, {"error": f"the input length exceeds the context length: {tokens} > {window}"})

    def thinks(self, body: dict[str, Any]) -> int:
        return 10**9 if body.get("think") else 0

    def limit(self, body: dict[str, Any]) -> int:
        return int(body["options"]["num_predict"])

    def reply(self, body: dict[str, Any]) -> Iterator[str]:
        thought = self.reasoning[: self.thinks(body)]
        pieces = [("thinking", piece) for piece in thought]
        pieces += [("content", piece) for piece in (self.answer if self.marked is None else self.marked)]
        said = pieces[: self.limit(body)]
        for name, piece in said:
            message = {"role": "assistant", "content": ""} | {name: piece}
            yield json.dumps({"model": self.model, "message": message, "done": False}) + "\n"
        reason = "length" if len(pieces) > len(said) else "stop"
        end = {"done": True, "done_reason": reason, "prompt_eval_count": self.prompt_tokens(body["messages"])}
        yield json.dumps({"message": {"role": "assistant", "content": ""}, "eval_count": len(said)} | end) + "\n"

    def error_line(self) -> str:
        return json.dumps({"error": "model runner has unexpectedly stopped"}) + "\n"


class DeepSeek(Double):
    """Wants a key; a switch of its own and no budget; probabilities only where it does not think."""

    key = KEY

    def check(self, body: dict[str, Any]) -> None:
        odd = body.keys() & {"chat_template_kwargs", "enable_thinking", "thinking_budget", "reasoning_budget_tokens"}
        if odd:
            raise openai_error(422, f"unknown field {sorted(odd)}")
        if body.get("logprobs") and body["thinking"]["type"] == "enabled":
            raise openai_error(400, "deepseek-reasoner does not support the parameter logprobs")
        tokens = self.prompt_tokens(body["messages"])
        if tokens > self.window:
            raise openai_error(400, f"This model's maximum context length is {self.window} tokens, {tokens} requested")

    def thinks(self, body: dict[str, Any]) -> int:
        return 10**9 if body.get("thinking", {}).get("type", "enabled") == "enabled" else 0

    def usage_details(self, thought: int) -> dict[str, Any]:
        return {"completion_tokens_details": {"reasoning_tokens": thought}}


class DashScope(Double):
    """Wants a key; thinks only in streams; a budget of its own."""

    key = KEY

    def check(self, body: dict[str, Any]) -> None:
        if body.get("enable_thinking") and not body.get("stream"):
            raise openai_error(400, "parameter.enable_thinking must be set to false for non-streaming calls")
        if body.keys() & {"chat_template_kwargs", "thinking"}:
            raise openai_error(400, "unknown parameter")
        if self.prompt_tokens(body["messages"]) > self.window:
            raise openai_error(400, f"<400> InvalidParameter: Range of input length should be [1, {self.window}]")

    def thinks(self, body: dict[str, Any]) -> int:
        return int(body.get("thinking_budget", 10**9)) if body.get("enable_thinking") else 0


class OpenAI(Double):
    """Wants a key; refuses `max_tokens`, and a temperature and a switch where they do not fit."""

    key = KEY

    def check(self, body: dict[str, Any]) -> None:
        if "max_tokens" in body:
            raise openai_error(400, "Unsupported parameter: 'max_tokens' is not supported with this model.")
        odd = body.keys() & {"chat_template_kwargs", "enable_thinking", "thinking", "thinking_budget"}
        if odd:
            raise openai_error(400, f"Unrecognized request argument supplied: {sorted(odd)[0]}")
        if self.prompt_tokens(body["messages"]) > self.window:
            raise openai_error(400, "Input tokens exceed the configured limit", code="context_length_exceeded")

    def thinks(self, body: dict[str, Any]) -> int:
        return 0

    def usage_details(self, thought: int) -> dict[str, Any]:
        return {"completion_tokens_details": {"reasoning_tokens": 0}}


class LMStudio(Double):
    """No switch, no budget, no count; its window stands elsewhere."""

    def handle(self, method: str, path: str, body: Any) -> object:
        if path == "/v1/models":
            return {"object": "list", "data": [{"id": self.model, "object": "model", "owned_by": "organization_owner"}]}
        if path == "/api/v0/models":
            return {"object": "list", "data": [{"id": self.model, "loaded_context_length": self.window}]}
        return super().handle(method, path, body)

    def check(self, body: dict[str, Any]) -> None:
        if self.prompt_tokens(body["messages"]) > self.window:
            raise Refusal(
                400, {"error": "Trying to keep the first 9 tokens when context the overflows. context length"}
            )

    def thinks(self, body: dict[str, Any]) -> int:
        return 10**9
