"""What form the answer to a question should have, by how the question is worded; said to the model in one line.

Pure, for Chinese and English.
"""

import re

from kb.text.languages import asked_in, language


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_DO = r"(?:^\W*|[.?!,;:]\s+|\bplease\s+|\b(?:can|could|would|will)\s+you\s+|\b(?:want|like)\s+you\s+to\s+)"
_DO_IN_CHINESE = r"(?:^|[，。；：,;]\s*|请|帮我|给我|[再并]|详细|简[单要]|具体|[你您])(?:[地再来])?"
"""What stands before a wish; "who explained", "the summary" and "计算机" wish nothing."""

_TABLE = _any_of(
    rf"{_DO}(?:make|draw|create|give|show|write|produce)\b.{{0,30}}\ba(?:\s\w+)?\s+table\b",
    r"\b(?:as|in|into)\s+a(?:\s\w+)?\s+table\W*$|^(?:as|in) a table\b",
    rf"{_DO}tabulate\b|{_DO}(?:list|compare|summari[sz]e|show)\b.*\b(?:as|in) a table\b",
    "(?:(?<!使)用|以|[列画做制写成出])(?:一?[个张])?表格|列表对比|列成?一?[个张]?表(?!示|明)",
)
_LIST = _any_of(
    rf"{_DO}(?:list|enumerate|name (?:all|some|several|two|three|four|five|\d+))\b",
    r"\b(?:bullet points?|as a list|step[- ]by[- ]step|(?:which|what) steps)\b",
    r"\bwhat (?:are|were) (?:all\b|(?:the )?(?:two|three|four|five|six|seven|eight|nine|ten|\d+)\b)",
    r"\bwhat (?:are|were) (?:the )?(?:\w+ )?(?:steps|stages|phases|causes|reasons|types|kinds|ways|methods|parts"
    r"|components|ingredients|members|features|functions|advantages|disadvantages|benefits|drawbacks|requirements"
    r"|conditions|rules|symptoms|effects|consequences|examples|options|names|goals|tasks|differences)\b",
    "列出|列举|列成|逐[条项]|哪几|哪些|(?<![第个一二三四五六七八九十后])步骤(?!\\s*[\\d一二三四五六七八九十])",
    "分别(?=是|为|有|在|由|叫|用|需|占|达|位|什|怎|如|多|几)",
)
_COMPARED = (
    "more|less|fewer|larger|bigger|smaller|higher|taller|lower|longer|shorter|older|younger|heavier|faster|greater"
)
_ARITHMETIC = _any_of(
    rf"{_DO}(?:calculate|compute|add up|sum up the)\b",
    r"\bwhat (?:is|was) the (?:sum|average|ratio) of\b.*\b(?:and|both|all)\b",
    r"\b(?:sum|total) of (?:the )?(?:two|three|four|all|both|these|those)\b",
    r"\b(?:and|both|all|these|those)\b.*\b(?:in total|altogether|combined|together)\W*$",
    rf"\bhow (?:much|many) (?:{_COMPARED})\b.*\b(?:than|compared)\b|\bhow much (?:{_COMPARED}) (?:is|was|are|were)\b",
    rf"\bhow many times (?:as|the size|{_COMPARED})\b|\bdifference in \w+ between\b",
    rf"{_DO_IN_CHINESE}(?:计算(?!机|器)|[估换]?算一?[下算出])",
    "总和|之和|加起来|相加|相差.{0,4}(?:多|几)|差多少|几倍|多少倍",
    "比.+?[多少高低大小长短重轻贵快慢早晚老](?:[了出]?(?:多少|几)|多[少大])",
    "(?:和(?!平)|与|、|以及).+(?:一共|总共|合计|共计)",
)
_LENGTH = _any_of(
    rf"{_DO}(?:explain|describe|summari[sz]e|elaborate|compare|discuss|outline)\b",
    rf"{_DO}(?:give|write)\b.{{0,30}}\b(?:summary|overview|description|explanation)\b|\bin detail\b",
    r"(?:^|[,;:.?!]|\b(?:and|know|me|say))\W*why\b",
    r"\bhow (?:do|does|did)\b.*\b(?:work|compare (?:to|with)\b.*)\W*$|\bdifferences? between\b",
    rf"{_DO_IN_CHINESE}(?:解释|说明(?!书|文件)|描述|总结(?!报告|会)|概括|概述|介绍(?!信)|对比(?!度)|谈谈|讲讲|说说)",
    rf"{_DO_IN_CHINESE}比较(?![大小高低长短多少好冷热快慢近远常])",
    "为什么|为何|怎么回事|(?:如何|怎么|怎样)(?:工作|运作|运行)|有(?:什么|何)(?:不同|[区差]别|差异)|详细[些点一]",
)

_LINES = {
    "en": {
        "table": "Answer with a Markdown table.",
        "arithmetic": "Answer with the calculation, number by number, and then its result.",
        "list": "Answer with a list, each item on a line of its own.",
        "parts": "Answer each part in a complete sentence of its own.",
        "length": "Answer in two or three complete sentences.",
        "sentence": "Answer in one complete sentence.",
    },
    "zh": {
        "table": "请用中文回答，写成 Markdown 表格。",
        "arithmetic": "请用中文回答，逐步写出算式，再给出结果。",
        "list": "请用中文回答，列成清单，每项一行。",
        "parts": "请用中文回答，每个问题各用一个完整的句子。",
        "length": "请用两三个完整的中文句子回答。",
        "sentence": "请用一个完整的中文句子回答。",
    },
}
_IN_ENGLISH = " Write in English."


def form_line(question: str, sources: str, parts: int = 1) -> str:
    """The line that tells the model what form its answer should have.

    Args:
        sources: The text that it answers from; if that is in another language, the line names the question's.
        parts: How many things are asked.
    """
    words = asked_in(question)
    line = _LINES[words][_form(question, parts)]
    return line + _IN_ENGLISH if words == "en" and language(sources) == "zh" else line


def asks_for_thought(question: str) -> bool:
    """Whether the answer must be worked out, and not only found."""
    return bool(_ARITHMETIC.search(question) or _LENGTH.search(question))


def _form(question: str, parts: int) -> str:
    if _TABLE.search(question):
        return "table"
    if _ARITHMETIC.search(question):
        return "arithmetic"
    if parts > 1:
        return "parts"
    if _LIST.search(question):
        return "list"
    return "length" if _LENGTH.search(question) else "sentence"
