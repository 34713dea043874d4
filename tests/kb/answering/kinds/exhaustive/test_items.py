from kb.answering.kinds.document.key_passages import passage_of
from kb.answering.kinds.exhaustive.items import apart, cited, items_of_forms, items_of_lines, merged, words_beside
from tests.kb.answering.kinds.document.document_harness import stored

TEXT = "Jane has 555-0134. The\nmule train is led by Old\nFerro. Jane's number is 5550134, or so; call (555) 0134."
PASSAGE = passage_of(1, stored([("People", TEXT)])[0])


def test_same_item_stands_once_with_all_its_places() -> None:
    (group,) = merged(items_of_forms(["phone"], PASSAGE))
    text = cited(group)
    assert text.text == "555-0134"
    assert text.about == "Jane has 555-0134."
    assert [TEXT[each.start : each.end] for each in text.citations] == [each.quote for each in text.citations]
    assert len(text.citations) == 2
    assert text.is_supported


def test_same_amount_in_two_sentences_may_be_of_two_things() -> None:
    passage = passage_of(1, stored([("", "Bread costs 5 euros. Tea costs 5 euros.")])[0])
    assert [len(group) for group in merged(items_of_forms(["money"], passage))] == [1, 1]


def test_of_what_a_model_writes_counts_what_stands_in_the_passage() -> None:
    written = "- Old Ferro (leads the mules)\n2. Jane: 555-0134\n* Somebody else\n\n- old ferro"
    items = list(items_of_lines(written, PASSAGE))
    assert [item.written for item in items] == ["Old Ferro", "Jane", "Old Ferro"]
    assert [len(group) for group in merged(items)] == [2, 1]


def test_sentence_that_a_model_has_cut_short_stands_in_the_passage() -> None:
    text = "The drain was choked with straw, so that the yard filled. 见到第一片雪花就关，不必请示。"
    written = "The drain was choked with straw.\n见到第一片雪花就关。\nThe pump was broken."
    items = items_of_lines(written, passage_of(1, stored([("", text)])[0]))
    assert [item.written for item in items] == ["The drain was choked with straw", "见到第一片雪花就关"]


def test_words_beside_items_are_of_the_same_passages_and_in_none_of_them() -> None:
    passage = passage_of(1, stored([("", "Jane Doe repaired the winch. Old Ferro watched the harbour and slept.")])[0])
    items = [*items_of_lines("Jane Doe\nOld Ferro", passage)]
    beside = words_beside(items, 3)
    assert len(beside) == 3
    assert all(each.written in passage.text for each in beside)
    assert not any(each.written in item.written for each in beside for item in items)
    assert words_beside(items, 0) == words_beside([], 3) == []


def test_items_of_a_passage_stand_in_its_order_and_none_within_another() -> None:
    text = "The team was led by Ana Duarte. They carried an echo sounder, two gill nets and a flow meter."
    passage = passage_of(1, stored([("", text)])[0])
    written = "a flow meter\necho sounder, two gill nets\necho sounder\ntwo gill nets\nAna\nAna Duarte"
    found = apart(items_of_lines(written, passage))
    assert [item.written for item in found] == ["Ana Duarte", "echo sounder", "two gill nets", "a flow meter"]


def test_an_article_or_the_plural_makes_no_other_item() -> None:
    passages = [
        passage_of(n, stored([("", text)])[0]) for n, text in enumerate(("The lantern.", "A lantern, lanterns."))
    ]
    written = ("The lantern", "A lantern\nlanterns")
    items = [item for lines, passage in zip(written, passages, strict=True) for item in items_of_lines(lines, passage)]
    assert [len(group) for group in merged(items)] == [3]
