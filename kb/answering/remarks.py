"""What the service itself says in the place of an answer, or beside one, in the language of the question. Pure."""

from collections.abc import Sequence

from kb.text.languages import asked_in

NO_EVIDENCE = {
    "en": "The documents do not seem to answer this. The nearest passages are shown.",
    "zh": "文档中似乎没有这个问题的答案。下面是最接近的段落。",
}
_NOTHING = {
    "empty": {
        "en": "Nothing is indexed yet. Put files into a watched folder.",
        "zh": "还没有索引任何文档。请把文件放进监视的文件夹。",
    },
    "filters": {
        "en": "Within the filters there is nothing to answer from. Remove one, or choose others.",
        "zh": "筛选范围内没有可供回答的文档。请去掉或更换筛选条件。",
    },
    "local_only": {
        "en": "What may answer this is to stay on this machine (KB_LOCAL_ONLY), and the model that answers is"
        " elsewhere. Set KB_SMALL_MODEL to a model on this machine.",
        "zh": "可能含有答案的文档不得离开本机（KB_LOCAL_ONLY），而作答的模型在别处。"
        "请把 KB_SMALL_MODEL 设为本机上的模型。",
    },
    "stale": {
        "en": "The files that might answer this have just changed or gone, and are not read anew yet. Ask again soon.",
        "zh": "可能含有答案的文件刚刚被修改或删除，尚未重新读取。请稍后再问。",
    },
}
_PENDING = {
    "en": " Files that are not indexed yet may hold it ({files} waiting): ask again when they are.",
    "zh": "还有 {files} 个文件尚未索引，答案可能在其中，请稍后再问。",
}
_WITHOUT_SOURCE = {"en": "The documents hold no source for: ", "zh": "文档中没有找到依据的问题："}
_UNSUPPORTED = {
    "en": "The documents do not bear out what the model wrote. The nearest passages are shown.",
    "zh": "文档并不支持模型写出的内容。下面是最接近的段落。",
}
_REFUSALS = tuple(text for texts in (NO_EVIDENCE, _UNSUPPORTED, *_NOTHING.values()) for text in texts.values())


def refusal(question: str, nothing_because: str = "", pending: int = 0) -> str:
    """Says that there is no answer.

    Args:
        nothing_because: Why nothing was found at all: `empty`, `filters`, `stale` or `local_only`; otherwise
            what was found holds no answer.
        pending: How many files wait to be indexed.
    """
    words = asked_in(question)
    waiting = _PENDING[words].format(files=pending) if pending else ""
    return _NOTHING.get(nothing_because, NO_EVIDENCE)[words] + waiting


def unsupported(question: str) -> str:
    """Says that what was written in answer to a question is not borne out."""
    return _UNSUPPORTED[asked_in(question)]


def without_source(question: str, parts: Sequence[str]) -> str:
    """Says of which parts of a question nothing was found."""
    words = asked_in(question)
    return _WITHOUT_SOURCE[words] + ("；" if words == "zh" else "; ").join(f"“{part}”" for part in parts)


def without_remark(answer: str) -> str:
    """Takes off an answer what the service said in it, so that the model does not take that for its own words."""
    if answer.startswith(_REFUSALS):
        return ""
    begins = [place for text in _WITHOUT_SOURCE.values() if (place := answer.find(text)) >= 0]
    return answer[: min(begins)].rstrip() if begins else answer
