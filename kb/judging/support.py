"""What a model is asked to see whether a source bears out a statement, and the sentences that it is asked about. Pure.

Of its reply only the probabilities are read. Compared with Qwen2.5-Coder 1.5B on 20 pairs of a true and a false
statement in English and 20 in Chinese (negation, roles, order in time, units, entities), AUC: the one or two sentences
that share most words with the statement .91 and .80; with six worked examples before them .90 and .79; "can it be
inferred?" .89 and .82; with the question before the statement .78 and .72. Asked for a contradiction or a mistake, the
model says what it likes. With the whole passage in the place of its sentences, 28 other such statements were told apart
no better than by chance.
"""

from collections.abc import Sequence

from kb.text.languages import language
from kb.text.sentences import sentence_spans
from kb.text.terms import content_terms
from kb.values.chat import Look, Message

_ASKED = {
    "en": (
        "Source: {source}\nStatement: {statement}\nIs the statement true according to the source? Yes or No?",
        ("Yes", "No"),
    ),
    "zh": ("资料：{source}\n陈述：{statement}\n根据资料，这句话对吗？请回答“对”或“错”。", ("对", "错")),
}
_SECOND_SHARE = 0.6
"""A second sentence goes with the best if it shares this part of the words that the best one does."""


def look_at(source: str, statement: str) -> Look:
    """Asks whether a statement is true by a source."""
    text, replies = _ASKED[language(statement)]
    return Look(((Message("user", text.format(source=source, statement=statement)),),), replies)


def nearest_sentences(passages: Sequence[str], statement: str, question: str = "") -> str:
    """The one or two sentences that share most words with a statement and its question, in the order of the text."""
    words = set(content_terms(f"{statement} {question}"))
    sentences = [passage[start:end] for passage in passages for start, end in sentence_spans(passage)]
    shared = [len(words.intersection(content_terms(sentence))) for sentence in sentences]
    best = sorted(range(len(sentences)), key=lambda place: (-shared[place], place))[:2]
    return " ".join(sentences[n] for n in sorted(best) if shared[n] >= _SECOND_SHARE * shared[best[0]])
