from pathlib import Path

import pytest

from ingest.formats.markdown import MarkdownLoader
from kb.values.documents import Document
from server.measure.eval.folder_set import Probe, make_probes

ENGLISH = """# Handbook

Everybody reads this handbook before the first winter on the mountain, without any exception whatsoever.

## Telescope

### Dome

The second dome was repaired in March 2024 by Halden Bronk, with 412 copper rivets from Vesterholm.

### Mirror

This mirror is washed with distilled water each autumn, and never touched with bare hands by anybody.

## Kitchen

### Dome

Short.
"""
CHINESE = """# 手册

## 圆顶

第二座圆顶在2024年3月由岳小满用412颗铜铆钉修好，铆钉是从维斯特霍尔姆运来的，一共花了三个星期的时间和两千八百克朗。
"""


@pytest.fixture
def documents(tmp_path: Path) -> list[tuple[str, Document]]:
    made = []
    for name, text in (("en", ENGLISH), ("zh", CHINESE)):
        (tmp_path / f"{name}.md").write_text(text, "utf-8")
        made.append((name, MarkdownLoader().load(f"{name}.md", (tmp_path / f"{name}.md").read_bytes())))
    return made


def gold(documents: list[tuple[str, Document]], probe: Probe) -> str:
    return dict(documents)[probe.gold.document_id].text[probe.gold.start : probe.gold.end]


def test_headings_over_a_text_ask_for_it(documents: list[tuple[str, Document]]) -> None:
    probes = [probe for probe in make_probes(documents, None) if probe.kind == "heading"]
    asked = {probe.text: gold(documents, probe) for probe in probes}
    assert list(asked) == ["Handbook", "Handbook Telescope Dome", "Handbook Telescope Mirror"]
    assert asked["Handbook Telescope Dome"].startswith("### Dome\n\nThe second dome")
    assert asked["Handbook Telescope Dome"].endswith("from Vesterholm.")


def test_headings_that_stand_over_two_texts_ask_nothing(documents: list[tuple[str, Document]]) -> None:
    probes = make_probes([*documents, ("copy", documents[0][1])], None)
    assert not [probe for probe in probes if probe.kind == "heading" and probe.text.startswith("Handbook")]


def test_distinctive_sentences_ask_for_themselves_with_words_left_out(documents: list[tuple[str, Document]]) -> None:
    probes = [probe for probe in make_probes(documents, None) if probe.kind == "sentence"]
    assert {probe.gold.document_id for probe in probes} == {"en", "zh"}
    for probe in probes:
        sentence = gold(documents, probe)
        pieces = probe.text.split()
        place = 0
        for piece in pieces:
            place = sentence.index(piece, place) + len(piece)
        kept = len("".join(pieces)) / len("".join(sentence.split()))
        assert 0.3 < kept < 0.9, probe.text


def test_sentences_that_others_repeat_ask_nothing(documents: list[tuple[str, Document]]) -> None:
    probes = make_probes([documents[0], ("copy", documents[0][1])], None)
    assert [probe for probe in probes if probe.kind == "sentence"] == []


def test_same_documents_give_the_same_questions(documents: list[tuple[str, Document]]) -> None:
    assert make_probes(documents, None) == make_probes(iter(documents), None)


@pytest.mark.parametrize(("limit", "headings", "sentences"), [(2, 1, 1), (4, 2, 2), (1, 0, 1), (100, 3, 4)])
def test_half_are_headings_as_far_as_there_are_enough(
    documents: list[tuple[str, Document]], limit: int, headings: int, sentences: int
) -> None:
    kinds = [probe.kind for probe in make_probes(documents, limit)]
    assert (kinds.count("heading"), kinds.count("sentence")) == (headings, sentences)


def test_nothing_makes_no_questions() -> None:
    assert make_probes([], 10) == []
