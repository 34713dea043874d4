"""What is said of documents that were counted, in the language of the question. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from kb.text.languages import asked_in
from kb.values.documents import DocumentOutline
from kb.values.filters import Filters

MAX_LISTED = 20
_MOST_GROUPS = 8

_TEXTS = {
    "en": {
        "all": "There are {n} documents.",
        "one": "There is 1 document.",
        "some": "{n} of {of} documents",
        "words": "with “{words}” in their text, name or tags",
        "types": "of type {types}",
        "folders": "in {folders}",
        "days": "dated {since} to {until} (the date in the document, else that of its file)",
        "by_type": "By type: {groups}.",
        "by_folder": "By folder: {groups}.",
        "top": "(top)",
        "newest": "The newest:",
        "oldest": "The oldest: {oldest}",
        "more": "… and {n} more.",
        "and": ", ",
        "end": ".",
        "colon": ":",
        "space": " ",
    },
    "zh": {
        "all": "共有 {n} 份文档。",
        "one": "共有 1 份文档。",
        "some": "{of} 份文档中有 {n} 份",
        "words": "正文、名称或标签中有“{words}”",
        "types": "类型为 {types}",
        "folders": "在 {folders} 中",
        "days": "日期在 {since} 至 {until} 之间（以文档内的日期为准，没有则用文件日期）",
        "by_type": "按类型：{groups}。",
        "by_folder": "按文件夹：{groups}。",
        "top": "（顶层）",
        "newest": "最新的：",
        "oldest": "最早的：{oldest}",
        "more": "……另有 {n} 份。",
        "and": "，",
        "end": "。",
        "colon": "：",
        "space": "",
    },
}


def overview_text(question: str, documents: Sequence[DocumentOutline], titles: Mapping[str, str]) -> str:
    """Says what there is at all.

    Args:
        documents: Newest first, one at least.
        titles: Of the first of them, and of the last, by their ids.
    """
    texts = _TEXTS[asked_in(question)]
    types = Counter(each.suffix or each.media_type for each in documents)
    folders = Counter(each.folder or texts["top"] for each in documents)
    lines = [
        texts["one" if len(documents) == 1 else "all"].format(n=f"{len(documents):,}"),
        texts["by_type"].format(groups=_groups(types)),
        texts["by_folder"].format(groups=_groups(folders)),
        texts["oldest"].format(oldest=_line(documents[-1], titles)),
        texts["newest"],
    ]
    return "\n\n".join([*lines, _listed(documents, titles, texts)])


def listing_text(
    question: str,
    documents: Sequence[DocumentOutline],
    titles: Mapping[str, str],
    of: int,
    words: Sequence[str],
    filters: Filters,
) -> str:
    """Says how many documents there are of what was asked for, how that was counted, and which.

    Args:
        documents: Newest first.
        titles: Of the first of them, by their ids.
        of: How many were looked at.
        words: That they hold.
        filters: That they pass.
    """
    texts = _TEXTS[asked_in(question)]
    conditions = [
        texts["words"].format(words=" ".join(words)) if words else "",
        texts["types"].format(types=", ".join(filters.types)) if filters.types else "",
        texts["folders"].format(folders=", ".join(filters.folders)) if filters.folders else "",
        texts["days"].format(since=filters.since, until=filters.until) if filters.since else "",
    ]
    counted = texts["some"].format(n=f"{len(documents):,}", of=f"{of:,}")
    text = f"{counted}{texts['space']}{texts['and'].join(filter(None, conditions))}"
    if not documents:
        return f"{text}{texts['end']}"
    return f"{text}{texts['colon']}\n\n{_listed(documents, titles, texts)}"


def _listed(documents: Sequence[DocumentOutline], titles: Mapping[str, str], texts: Mapping[str, str]) -> str:
    lines = [f"- {_line(each, titles)}" for each in documents[:MAX_LISTED]]
    if len(documents) > MAX_LISTED:
        lines.append(f"\n{texts['more'].format(n=f'{len(documents) - MAX_LISTED:,}')}")
    return "\n".join(lines)


def _line(document: DocumentOutline, titles: Mapping[str, str]) -> str:
    return f"{titles[document.id]} ({document.source}, {document.day})"


def _groups(counts: Counter[str]) -> str:
    named = ", ".join(f"{name} {n:,}" for name, n in counts.most_common(_MOST_GROUPS))
    return named + (" …" if len(counts) > _MOST_GROUPS else "")
