"""The line that tells the model what form its answer should have. Pure, for Chinese and English.

Which form a question wants is decided in `kb.answering.understanding.decide`.
"""

from typing import Literal

from kb.text.languages import asked_in, language

Form = Literal["sentence", "list", "table", "calculation", "explanation"]

_LINES = {
    "en": {
        "table": "Answer with a Markdown table.",
        "calculation": "Answer with the calculation, number by number, and then its result.",
        "list": "Answer with a list, each item on a line of its own.",
        "parts": "Answer each part in a complete sentence of its own.",
        "explanation": "Answer in two or three complete sentences.",
        "sentence": "Answer in one complete sentence.",
    },
    "zh": {
        "table": "请用中文回答，写成 Markdown 表格。",
        "calculation": "请用中文回答，逐步写出算式，再给出结果。",
        "list": "请用中文回答，列成清单，每项一行。",
        "parts": "请用中文回答，每个问题各用一个完整的句子。",
        "explanation": "请用两三个完整的中文句子回答。",
        "sentence": "请用一个完整的中文句子回答。",
    },
}
_IN_ENGLISH = " Write in English."


def form_line(form: Form, question: str, sources: str, parts: int = 1) -> str:
    """The line that tells the model what form its answer should have.

    Args:
        sources: The text that it answers from; if that is in another language, the line names the question's.
        parts: How many things are asked; each of several gets a sentence, unless a table or a calculation is wanted.
    """
    words = asked_in(question)
    line = _LINES[words]["parts" if parts > 1 and form not in ("table", "calculation") else form]
    return line + _IN_ENGLISH if words == "en" and language(sources) == "zh" else line


def wants_thought(form: Form) -> bool:
    """Whether the answer must be worked out, and not only found."""
    return form in ("calculation", "explanation")
