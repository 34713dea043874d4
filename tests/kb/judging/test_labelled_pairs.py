"""The labelled pairs that ship with the judge: well-formed, balanced, in twins, and with nothing in both splits."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

import kb.judging

DATA = Path(kb.judging.__file__).parent / "data"
TEXTS = {
    "answerable": {"question"},
    "supported": {"question", "statement"},
    "contradiction": {"first", "second"},
}
TRUE_KINDS = {
    "answerable": {"direct", "paraphrase", "two_sentences", "table", "other_language"},
    "supported": {"verbatim", "short_answer", "paraphrase", "combined", "other_language"},
    "contradiction": {"negation", "opposite_verb", "roles", "order_in_time", "units", "entity", "number", "date"},
}
FALSE_KINDS = {
    "answerable": {"other_entity", "topic_only", "other_year", "near_miss", "unrelated"},
    "supported": {
        *("other_value", "negation", "swapped_roles", "other_unit", "other_year", "other_entity"),
        *("opposite_verb", "half_true", "order_in_time", "not_in_text", "instruction"),
    },
    "contradiction": {"paraphrase", "entails", "unrelated_detail", "both_can_hold", "other_subject"},
}
AT_LEAST = {"en": 150, "zh": 150, "ja": 20, "de": 20, "es": 20, "fr": 20}
SETS = sorted(TEXTS)


def items_of(name: str) -> list[dict[str, Any]]:
    """All items of one set."""
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("name", SETS)
def test_every_item_is_well_formed(name: str) -> None:
    expected = {"id", "language", "kind", "label", "split", *TEXTS[name]}
    if name != "contradiction":
        expected.add("passages")
    for item in items_of(name):
        assert set(item) == expected, item["id"]
        assert item["language"] in AT_LEAST
        assert item["split"] in {"fit", "held"}
        assert isinstance(item["label"], bool)
        assert item["kind"] in (TRUE_KINDS if item["label"] else FALSE_KINDS)[name], item["id"]
        passages = item.get("passages", ["-"])
        assert 1 <= len(passages) <= 3 and len(set(passages)) == len(passages), item["id"]
        for text in (*passages, *(item[key] for key in TEXTS[name])):
            assert text == text.strip() and text, item["id"]


def test_no_id_and_no_item_is_there_twice() -> None:
    items = [item for name in SETS for item in items_of(name)]
    ids = Counter(item["id"] for item in items)
    contents = Counter(json.dumps([value for key, value in item.items() if key != "id"]) for item in items)
    assert [name for counts in (ids, contents) for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("language", sorted(AT_LEAST))
def test_every_language_has_enough_items_half_of_them_true_and_some_held(name: str, language: str) -> None:
    items = [item for item in items_of(name) if item["language"] == language]
    assert len(items) >= AT_LEAST[language]
    assert sum(item["label"] for item in items) == len(items) / 2
    held = [item for item in items if item["split"] == "held"]
    assert 0.15 <= len(held) / len(items) <= 0.45
    assert {item["label"] for item in held} == {True, False}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_kind_is_there_and_the_wrong_ones_about_equally_often(name: str, language: str) -> None:
    kinds = Counter((item["label"], item["kind"]) for item in items_of(name) if item["language"] == language)
    assert set(kinds) == {*((True, kind) for kind in TRUE_KINDS[name]), *((False, kind) for kind in FALSE_KINDS[name])}
    wrong = [count for (label, _), count in kinds.items() if not label]
    assert max(wrong) <= 2 * min(wrong)


@pytest.mark.parametrize("name", SETS)
def test_every_passage_has_items_of_both_labels(name: str) -> None:
    labels: dict[str, set[bool]] = defaultdict(set)
    for item in items_of(name):
        labels[item["id"].rpartition("-")[0]].add(item["label"])
    assert [passage for passage, there in labels.items() if len(there) < 2] == []


@pytest.mark.parametrize(("name", "asked"), [("supported", ("question", "passages")), ("contradiction", ("first",))])
def test_many_pairs_differ_in_the_statement_only(name: str, asked: tuple[str, ...]) -> None:
    labels: dict[str, set[bool]] = defaultdict(set)
    for item in items_of(name):
        labels[json.dumps([item[key] for key in asked])].add(item["label"])
    assert sum(len(there) == 2 for there in labels.values()) >= 60


def test_no_passage_and_no_statement_is_in_both_splits() -> None:
    texts: dict[str, set[str]] = {"fit": set(), "held": set()}
    sources: dict[str, set[str]] = {"fit": set(), "held": set()}
    for item in (item for name in SETS for item in items_of(name)):
        texts[item["split"]].update(item.get("passages", [item.get("first"), item.get("second")]))
        sources[item["split"]].add(item["id"].rpartition("-")[0])
    assert texts["fit"] & texts["held"] == set()
    assert sources["fit"] & sources["held"] == set()


GROUP_TEXTS = ("passage", "question", "right", "true", "false", "asked_elsewhere")
GROUP_KINDS = FALSE_KINDS["supported"] - {"instruction"} | {"quantifier", "condition", "cause", "comparison"}


def test_every_group_is_well_formed_and_its_passage_is_its_own() -> None:
    groups = items_of("groups")
    for group in groups:
        assert set(group) == {"id", "language", "split", "wrong", "kind", *GROUP_TEXTS}, group["id"]
        assert group["kind"] in GROUP_KINDS, group["id"]
        answers = [group["right"], *group["wrong"]]
        assert len(set(answers)) == 3 and group["true"] != group["false"], group["id"]
        for text in (*answers, *(group[key] for key in GROUP_TEXTS)):
            assert text == text.strip() and text, group["id"]
    for key in ("id", "passage"):
        assert len({group[key] for group in groups}) == len(groups)


@pytest.mark.parametrize("language", sorted(AT_LEAST))
def test_a_fourth_of_the_groups_of_a_language_is_held_and_its_kinds_of_error_are_as_frequent(language: str) -> None:
    groups = [group for group in items_of("groups") if group["language"] == language]
    assert len(groups) >= AT_LEAST[language]
    assert 0.2 <= sum(group["split"] == "held" for group in groups) / len(groups) <= 0.25
    kinds = Counter(group["kind"] for group in groups)
    assert max(kinds.values()) <= 2 * max(1, len(groups) / len(GROUP_KINDS))
    assert set(kinds) == GROUP_KINDS or len(groups) < 50


def test_length_does_not_betray_what_is_false() -> None:
    groups = items_of("groups")
    longer = sum(len(group["true"]) > len(group["false"]) for group in groups)
    shorter = sum(len(group["true"]) < len(group["false"]) for group in groups)
    assert abs(longer - shorter) < 0.2 * len(groups)
