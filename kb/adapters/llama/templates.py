"""How a prompt is written for a model, decided by the metadata of its GGUF file and never by the file's name.

It knows no tokens and opens no file. A prompt is a sequence of segments; only text that comes from the model's own
template may hold control tokens. What documents and people write is always plain text, whatever it looks like.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from kb.adapters.llama.chat_template import ChatTemplate, Refused, chat_template
from kb.errors import ModelError, ModelLoadError
from kb.generation.messages import fold_system
from kb.generation.reasoning import CLOSER, OPENER
from kb.values.chat import Message

R1_USER: Final = "<｜User｜>"
R1_ASSISTANT: Final = "<｜Assistant｜>"
CHATML_START: Final = "<|im_start|>"
MARKERS: Final = (OPENER, CLOSER, R1_USER, R1_ASSISTANT, CHATML_START)
"""The texts of which a profile needs to know whether they are single tokens."""

_R1_PRETOKENIZER = "deepseek-r1-qwen"
_R1_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role == 'assistant' %}<｜Assistant｜>{{ message.content }}{{ eos_token }}"
    "{% else %}<｜User｜>{{ message.content }}{% endif %}"
    "{% endfor %}<｜Assistant｜>"
)
_CHATML_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
_PLAIN_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role != 'system' %}{{ message.role | capitalize }}: {% endif %}{{ message.content }}\n\n"
    "{% endfor %}Assistant:"
)

_UNUSABLE = "the chat template inside the model file cannot be used"
_UNUSABLE_HINT = "use an instruction-tuned model"

_OPENS_REASONING = f"{OPENER}\n"
_CLOSES_REASONING = f"\n{CLOSER}\n\n"
_TAGS_AT_END = re.compile(rf"(?:{OPENER}\s*)?(?:{CLOSER}\s*)?\Z")

# Each content is rendered as a number between two private-use characters, which no template writes itself.
_SENTINEL = re.compile("\ue000([0-9]+)\ue001")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a profile needs to know about a tokenizer.

    Attributes:
        bos: Text of the token that begins a prompt; empty where there is none.
        eos: Text of the token that ends a reply; empty where there is none.
        adds_bos: Whether a prompt has to begin with `bos`.
        markers: Those of `MARKERS` that are single tokens.
    """

    bos: str
    eos: str
    adds_bos: bool
    markers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt; `is_control` says whether control tokens in it are meant."""

    text: str
    is_control: bool


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """How to speak with one model.

    Attributes:
        reasons: Whether it was trained to think before it answers.
        allows_system: Whether it has a system role; where not, that text begins the first user message.
        temperature: 0 means the most likely token, always.
        top_p: Share of probability that is sampled from, in 0…1.
        opens_reasoning: Ends the prompt of a model that is to think.
        closes_reasoning: Ends the thinking, written by the model or by force.
    """

    template: ChatTemplate
    vocabulary: Vocabulary
    reasons: bool
    allows_system: bool
    temperature: float = 0.0
    top_p: float = 1.0
    opens_reasoning: str = _OPENS_REASONING
    closes_reasoning: str = _CLOSES_REASONING

    def render(self, messages: Sequence[Message], *, reasoning: bool) -> list[Segment]:
        """Writes the prompt that makes the model reply.

        Args:
            messages: The last one from the user.
            reasoning: Whether the reply begins with reasoning; ignored by a model that does not reason.

        Raises:
            ModelError: The model's template refuses this order of roles.
        """
        if not self.allows_system:
            messages = fold_system(messages)
        try:
            text = self.template.render([message.role for message in messages], reasoning=reasoning)
        except Refused as error:
            raise ModelError(f"the chat template of the model refuses these messages: {error}") from error
        if self.reasons:
            text = _TAGS_AT_END.sub("", text, count=1) + self.opens_reasoning
            text += "" if reasoning else self.closes_reasoning
        if self.vocabulary.adds_bos and not text.startswith(self.vocabulary.bos):
            text = self.vocabulary.bos + text
        parts = _SENTINEL.split(text)
        segments = [
            Segment(messages[int(part)].content, False) if place % 2 else Segment(part, True)
            for place, part in enumerate(parts)
        ]
        return [segment for segment in segments if segment.text]


def profile_of(metadata: Mapping[str, str], vocabulary: Vocabulary) -> ModelProfile:
    """Reads a model's profile from its metadata.

    DeepSeek-R1 and its distillations are recognised by the markers of their template, or by their pre-tokenizer. They
    get no system prompt, temperature 0.6 and top_p 0.95, as their authors recommend
    (https://github.com/deepseek-ai/DeepSeek-R1#usage-recommendations). Other models think if their template
    can switch thinking on, or opens it by itself.

    Args:
        metadata: Of the GGUF file, all values as text.

    Raises:
        ModelLoadError: The model's own template does not compile, does not end, or leaves out what the user says.
    """
    source = metadata.get("tokenizer.chat_template", "")
    is_r1 = metadata.get("tokenizer.ggml.pre") == _R1_PRETOKENIZER or all(
        marker in (source or vocabulary.markers) for marker in (R1_USER, R1_ASSISTANT, CLOSER)
    )
    template = chat_template(source or _fallback_template(is_r1, vocabulary), vocabulary.bos, vocabulary.eos)
    try:
        asked = template.render(["user"], reasoning=True)
    except Refused as error:
        raise ModelLoadError(f"{_UNUSABLE}: {error.message}", _UNUSABLE_HINT) from error
    if "\ue0000\ue001" not in asked:
        raise ModelLoadError(f"{_UNUSABLE}: it leaves out what the user says", _UNUSABLE_HINT)
    thinks = "enable_thinking" in source or asked.rstrip().endswith(OPENER)
    reasons = is_r1 or (thinks and CLOSER in source)
    with_system = ""
    with suppress(Refused):
        with_system = template.render(["system", "user"], reasoning=True)
    return ModelProfile(
        template,
        vocabulary,
        reasons=reasons,
        allows_system=not is_r1 and "\ue0000\ue001" in with_system and "\ue0001\ue001" in with_system,
        temperature=0.6 if reasons else 0.0,
        top_p=0.95 if reasons else 1.0,
    )


def _fallback_template(is_r1: bool, vocabulary: Vocabulary) -> str:
    if is_r1:
        return _R1_TEMPLATE
    return _CHATML_TEMPLATE if CHATML_START in vocabulary.markers else _PLAIN_TEMPLATE
