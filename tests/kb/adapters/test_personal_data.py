import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from kb.adapters.personal_data import find_personal
from kb.errors import SettingsError
from kb.values.personal import PERSONAL_KINDS

SENTENCES = [
    json.loads(line) for line in Path(__file__).with_name("personal_sentences.jsonl").read_text("utf-8").splitlines()
]
REGIONS = ("CN", "US", "GB")
WITHOUT_A_FORM = {"name", "address"}


def found(text: str) -> list[tuple[str, str]]:
    return [(each.kind, text[each.start : each.end]) for each in find_personal(REGIONS)(text)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_has_a_form_is_found_in_sentences_and_little_else(language: str) -> None:
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    sentences = [each for each in SENTENCES if each["language"] == language]
    assert len(sentences) >= 60
    for sentence in sentences:
        wanted = Counter((kind, written) for kind, written in sentence["personal"])
        told = Counter(found(sentence["text"]))
        right.update(kind for kind, _ in (told & wanted).elements())
        wrong.update(kind for kind, _ in (told - wanted).elements())
        missed.update(kind for kind, _ in (wanted - told).elements())
    for kind in PERSONAL_KINDS:
        precision, recall = right[kind] / (right[kind] + wrong[kind]), right[kind] / (right[kind] + missed[kind])
        print(f"{language} {kind}: precision {precision:.2f}, recall {recall:.2f} of {right[kind] + missed[kind]}")
        assert precision >= 0.95, kind
        assert recall >= 0.9, kind
    assert missed.keys() >= WITHOUT_A_FORM  # as the documentation says


def test_places_are_those_of_the_text_as_it_is_written() -> None:
    assert found("电话１３８１２３４５６７８，邮箱a@b.cn。") == [
        ("phone", "１３８１２３４５６７８"),
        ("email", "a@b.cn"),
    ]
    assert found("🙂 zhang@example.com🙂13812345678") == [("email", "zhang@example.com"), ("phone", "13812345678")]


def test_a_number_with_a_wrong_check_digit_is_none() -> None:
    assert found("身份证11010519491231002X") == [("id_number", "11010519491231002X")]
    assert found("身份证110105194912310021") == []
    assert found("身份证110105194913310020") == []
    assert found("GB29 NWBK 6016 1331 9268 18") == found("4111 1111 1111 1112") == []


def test_nothing_is_found_twice() -> None:
    assert found("13812345678@qq.example") == [("email", "13812345678@qq.example")]


def test_regions_tell_which_numbers_without_a_plus_are_phone_numbers() -> None:
    german = "Tel. 030 901820, +49 30 901821"
    assert [each.start for each in find_personal(["DE"])(german)] == [5, 17]
    assert [each.start for each in find_personal([])(german)] == [17]
    with pytest.raises(SettingsError, match="no region: GERMANY"):
        find_personal(["GERMANY"])


@pytest.mark.parametrize(
    "text",
    [
        "The winch lifts 900 kilograms, 2024-11-29, 4500123789; 电话13812345678。" * 1000,
        "a" * 500_000 + "@",
        "a@" * 200_000,
        "4" * 500_000,
        "4111 " * 20_000,
        "GB29 NWBK " * 20_000,
        "1 " * 50_000,
        "12,345;6\n" * 50_000,
        "(+1) 23-" * 5_000,
    ],
    ids=lambda text: text[:10],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    find_personal(REGIONS)(text)
    assert time.process_time() - began < 10


def test_what_is_missing_is_named() -> None:
    code = (
        "import sys; sys.modules['phonenumbers'] = None\n"
        "from kb.adapters.personal_data import find_personal\n"
        "try: find_personal(['CN'])\n"
        "except Exception as error: print(type(error).__name__, error.hint)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.strip() == "SettingsError install r1-kb with its extra: pip install 'r1-kb[pii]'"
