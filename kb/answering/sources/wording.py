"""Words under which an answer may stand: a model writes them, from a question, or from what was found for it. Pure."""

import re

from kb.text.languages import asked_in
from kb.values.chat import Message

MOST_WORDINGS = 6
WORDING_TOKENS = 72
MOST_LEADS = 3
LEAD_TOKENS = 40
"""What the model may write of each kind."""

_LONGEST_WORDING = 80  # characters

_ASKED = {
    "en": "Question: {question}\n"
    "Under which headings, rows of a table or other words may the answer stand in a document?"
    " Write up to {most} of them, one on each line, and nothing else.",
    "zh": "问题：{question}\n答案在文档里可能出现在哪些标题、表格行或其他词语之下？"
    "最多写 {most} 个，每行一个，不要写别的。",
}
_LEADS = {
    "en": "{sources}\n\nQuestion: {question}\n"
    "The sources do not hold the whole answer. To which section, table, document, thing or person do they lead, where"
    " the rest of it may stand? Write up to {most} such names or headings, one on each line, and nothing else.",
    "zh": "{sources}\n\n问题：{question}\n资料里没有完整的答案。其余的答案可能在哪个章节、表格、文档、事物或人物那里？"
    "请根据资料写出最多 {most} 个名称或标题，每行一个，不要写别的。",
}
_MARK = re.compile(r"^\W*(?:\d{1,2}[.)、]\s*)?")


def asking_for_words(question: str) -> list[Message]:
    """Asks under which words the answer may stand."""
    return [Message("user", _ASKED[asked_in(question)].format(question=question, most=MOST_WORDINGS))]


def asking_for_leads(question: str, sources: str) -> list[Message]:
    """Asks where what was found leads on to.

    Args:
        sources: As in a prompt.
    """
    text = _LEADS[asked_in(question)].format(sources=sources, question=question, most=MOST_LEADS)
    return [Message("user", text)]


def wordings_in(reply: str, most: int = MOST_WORDINGS) -> list[str]:
    """The lines of a reply without numbers and marks before them, each once; sentences are left out."""
    lines = (_MARK.sub("", line).strip(' \t*:："“”') for line in reply.splitlines())
    return [line for line in dict.fromkeys(lines) if 0 < len(line) <= _LONGEST_WORDING][:most]
