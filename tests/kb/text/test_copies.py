import pytest

from kb.text.copies import CopyName, are_versions, copy_name


def words(text: str) -> list[str]:
    return text.split()


PLAN = words("The plan for the dome is to paint it white in March and to open it in April if all goes well")


@pytest.mark.parametrize(
    "name",
    [
        "plan.sync-conflict-20261101-120000-ABCDEFG.md",
        "plan (Jane's conflicted copy 2026-11-01).md",
        "plan (Jane's conflicted copy).md",
        "plan (conflicted copy 2026-11-01 120000).md",
        "plan (张三 的冲突副本 2026-11-01).md",
        "plan (Case Conflict).md",
        "plan_conflict-20261101-120000.md",
    ],
)
def test_copies_of_a_conflict_are_known_by_their_names(name: str) -> None:
    assert copy_name(f"work/{name}") == CopyName("work/plan.md", True)


@pytest.mark.parametrize("name", ["plan 2.md", "plan (1).md", "plan - Copy.md", "plan - Copy (2).md", "plan copy.md"])
def test_second_files_may_be_copies(name: str) -> None:
    assert copy_name(name) == CopyName("plan.md", False)


def test_chinese_and_other_names_are_read_too() -> None:
    assert copy_name("计划 - 副本.docx") == CopyName("计划.docx", False)
    assert copy_name("计划（1）.md") == CopyName("计划.md", False)
    assert copy_name("Makefile 2") == CopyName("Makefile", False)


@pytest.mark.parametrize(
    "name",
    ["plan.md", "2.md", "2026-11-01.md", "conflict.md", "conflict of interest.md", "copy.md", "plan-2.md", "a (b).md"],
)
def test_other_names_are_none_of_copies(name: str) -> None:
    assert copy_name(name) is None


def test_texts_that_differ_little_or_by_what_was_added_are_versions() -> None:
    assert are_versions(PLAN, [*PLAN[:9], "green", *PLAN[10:]])
    assert are_versions(PLAN, [*PLAN, *(f"word{n}" for n in range(50))])
    assert are_versions(["budget", "is", "100"], ["budget", "is", "200"])


def test_texts_on_the_same_matter_are_no_versions() -> None:
    assert not are_versions(PLAN, words("The second chapter tells how the dome was built and by whom it was paid for"))
    assert not are_versions(PLAN, [*PLAN[:3], *words("other tower remains to blue it paint May then close June")])
    assert not are_versions(["one"], ["two"])
    assert not are_versions([], PLAN)
