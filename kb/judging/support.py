"""What a model is asked to see whether a source bears out a statement, and the sentences that it is asked about. Pure.

Of its reply only the probabilities are read. Compared with Qwen2.5-Coder 1.5B on 20 pairs of a true and a false
statement in English and 20 in Chinese (negation, roles, order in time, units, entities), AUC: the one or two sentences
that share most words with the statement .91 and .80; with six worked examples before them .90 and .79; "can it be
inferred?" .89 and .82; with the question before the statement .78 and .72. Asked for a contradiction or a mistake, the
model says what it likes. With the whole passage in the place of its sentences, 28 other such statements were told apart
no better than by chance. Short answers, 60 right and 60 wrong ones of XQuAD in each language, with their question: .94
and .89.
"""

from collections.abc import Sequence

from kb.text.languages import language
from kb.text.sentences import is_whole_sentence, sentence_spans
from kb.text.terms import content_terms
from kb.values.chat import Look, Message

_OF_STATEMENT = {
    "en": "Source: {source}\nStatement: {statement}\nIs the statement true according to the source? Yes or No?",
    "zh": "资料：{source}\n陈述：{statement}\n根据资料，这句话对吗？请回答“对”或“错”。",
}
_OF_ANSWER = {
    "en": "Source: {source}\nQuestion: {question}\nAnswer: {statement}\n"
    "Is the answer true according to the source? Yes or No?",
    "zh": "资料：{source}\n问题：{question}\n答案：{statement}\n根据资料，这个答案对吗？请回答“对”或“错”。",
}
_REPLIES = {"en": ("Yes", "No"), "zh": ("对", "错")}
_SECOND_SHARE = 0.6
"""A second sentence goes with the best if it shares this part of the words that the best one does."""


def is_answer(statement: str, question: str) -> bool:
    """Whether a statement says something only together with its question: it is no whole sentence."""
    return bool(question) and not is_whole_sentence(statement)


def look_at(passages: Sequence[str], statement: str, question: str = "") -> Look:
    """Asks whether the sentences of passages that are nearest to a statement bear it out.

    Args:
        passages: One or more.
        question: What it answers; a whole sentence is judged without it.
    """
    near = nearest_sentences(passages, statement, question)
    if not is_answer(statement, question):
        spoken = language(statement)
        text = _OF_STATEMENT[spoken].format(source=near, statement=statement)
    else:
        spoken = language(f"{question}\n{statement}")
        text = _OF_ANSWER[spoken].format(source=near, question=question, statement=statement)
    return Look((Message("user", text),), *_REPLIES[spoken])


def nearest_sentences(passages: Sequence[str], statement: str, question: str = "") -> str:
    """The one or two sentences that share most words with a statement and its question, in the order of the text."""
    words = set(content_terms(f"{statement} {question}"))
    sentences = [passage[start:end] for passage in passages for start, end in sentence_spans(passage)]
    shared = [len(words.intersection(content_terms(sentence))) for sentence in sentences]
    best = sorted(range(len(sentences)), key=lambda place: (-shared[place], place))[:2]
    return " ".join(sentences[n] for n in sorted(best) if shared[n] >= _SECOND_SHARE * shared[best[0]])
