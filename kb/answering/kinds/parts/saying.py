"""What is said of a calculation, in the language of the question. Pure."""

from collections.abc import Sequence

from kb.answering.kinds.parts.calculation import Calculation, NotComputed, Operand
from kb.text.languages import asked_in
from kb.values.answers import Operation

_RESULTS: dict[str, dict[Operation, str]] = {
    "en": {
        "sum": "Together",
        "difference": "Difference",
        "ratio": "Ratio",
        "change": "Change",
        "average": "Average",
        "share": "Share",
        "highest": "Highest",
        "lowest": "Lowest",
        "days": "Days between",
    },
    "zh": {
        "sum": "合计",
        "difference": "相差",
        "ratio": "倍数",
        "change": "变化",
        "average": "平均",
        "share": "占比",
        "highest": "最高",
        "lowest": "最低",
        "days": "相隔天数",
    },
}
_OF_DAYS: dict[str, dict[Operation, str]] = {
    "en": {"highest": "Latest", "lowest": "Earliest"},
    "zh": {"highest": "最晚", "lowest": "最早"},
}
_EQUAL = {"en": "equal", "zh": "相等"}
_MISSING = {
    "en": "Nothing was computed: two numbers are needed, and only this was found: {found}.",
    "zh": "没有进行计算：需要两个数字，只找到：{found}。",
}
_NOTHING = {
    "en": "Nothing was computed: the numbers that are needed were not found.",
    "zh": "没有进行计算：没有找到所需的数字。",
}
_UNITS = {
    "en": "Nothing was computed: the units do not fit together: {found}.",
    "zh": "没有进行计算：单位不一致：{found}。",
}
_DOUBTFUL = {
    "en": "Nothing was computed: the sources speak against one of these: {found}.",
    "zh": "没有进行计算：资料不支持其中的数字：{found}。",
}


def result_line(calculation: Calculation, question: str) -> str:
    """The calculation with its result."""
    words = asked_in(question)
    labels = _OF_DAYS[words] if calculation.operands[0].amount.day else {}
    label = labels.get(calculation.operation, _RESULTS[words][calculation.operation])
    colon = "：" if words == "zh" else ": "
    if calculation.operation not in ("highest", "lowest"):
        return f"**{label}{colon}{calculation.expression}**"
    found = _called(calculation.found) if calculation.found else _EQUAL[words]
    brackets = "（{}）" if words == "zh" else " ({})"
    return f"**{label}{colon}{found}**{brackets.format(calculation.expression)}"


def operand_line(operand: Operand, question: str) -> str:
    """One of the numbers that are computed with; or the sentence that says it."""
    if operand.is_quoted or not operand.name:
        return operand.name or operand.written
    colon = "：" if asked_in(question) == "zh" else ": "
    return f"{operand.name}{colon}{operand.written}"


def not_computed(why: NotComputed, question: str) -> str:
    """Why there is no calculation."""
    words = asked_in(question)
    texts = {"units": _UNITS, "doubtful": _DOUBTFUL, "missing": _MISSING if why.operands else _NOTHING}[why.because]
    return texts[words].format(found=_listed(why.operands, question))


def _called(operand: Operand) -> str:
    return operand.written if operand.is_quoted else operand.name or operand.written


def _listed(operands: Sequence[Operand], question: str) -> str:
    between = "；" if asked_in(question) == "zh" else "; "
    return between.join(each.written if each.is_quoted else operand_line(each, question) for each in operands)
