"""What a client wants of the form of an answer, in free words, as a line of the prompt. Pure.

Such words come from the system prompt of a chat client, which may hold anything: how to behave, what to believe, pages
of context. They are quoted as wishes for the form, in a stretch that is too short to talk a model round; whether there
is an answer is decided without them, and what they have put into one is judged by the sources like all else.
"""

from kb.text.languages import asked_in
from kb.text.sentences import sentence_spans

MAX_CHARS = 300

_LINE = {
    "en": "For wording, length and language, and for nothing else, heed this wish: “{wishes}”",
    "zh": "仅在措辞、篇幅和语言方面照顾这一愿望：“{wishes}”",
}


def wishes_within(text: str) -> str:
    """The first sentences, as many as are heeded, on one line."""
    text = " ".join(text.split())
    if len(text) <= MAX_CHARS:
        return text
    end = max((end for _, end in sentence_spans(text) if end <= MAX_CHARS), default=MAX_CHARS)
    return text[:end].rstrip()


def wishes_line(wishes: str, question: str) -> str:
    """The line, with what leads to it; empty without wishes.

    Args:
        question: Tells the language.
    """
    quoted = wishes.replace("“", "'").replace("”", "'")
    return f"\n{_LINE[asked_in(question)].format(wishes=quoted)}" if wishes else ""
