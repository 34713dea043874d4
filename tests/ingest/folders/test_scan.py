import datetime
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from ingest.folders import scan
from ingest.folders.place import Place
from ingest.folders.scan import Changes
from kb.values.documents import DocumentInfo, Failure, FileVersion

NOW = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)


def file(
    source: str, size: int = 10, time: int = 1, content: str = "", root: str = "/r", changed: int = 0
) -> FileVersion:
    return FileVersion(root, source, size, time, content, changed)


def document(version: FileVersion, key: str = "", recipe: str = "now") -> DocumentInfo:
    return DocumentInfo(key or version.source, version, "", "text/markdown", (), None, None, 0, 0, NOW, recipe)


def failure(version: FileVersion) -> Failure:
    return Failure(version, "broken", "", 1, NOW)


def no_hash(version: FileVersion) -> str:
    raise AssertionError(f"{version.source} was hashed for nothing")


def compare(
    files: Iterable[FileVersion],
    documents: Iterable[DocumentInfo],
    failures: Iterable[Failure],
    hidden: Collection[Place],
    hash_of: Callable[[FileVersion], str],
) -> Changes:
    return scan.compare(files, documents, failures, hidden, "now", hash_of)


NOTHING = Changes([], [], [], [], [], [])


def test_nothing_changes_where_sizes_and_times_agree() -> None:
    known = file("a.md", content="A")
    changes = compare([file("a.md")], [document(known)], [], (), no_hash)
    assert changes == NOTHING


def test_file_is_added_modified_or_removed() -> None:
    files = [file("new.md", size=3), file("longer.md", size=11), file("later.md", time=2)]
    documents = [document(file(name)) for name in ("longer.md", "later.md", "gone.md")]
    changes = compare(files, documents, [], (), no_hash)
    assert [version.source for version in changes.added] == ["new.md"]
    assert [version.source for version in changes.modified] == ["longer.md", "later.md"]
    assert [gone.file.source for gone in changes.removed] == ["gone.md"]


def test_file_whose_size_and_time_were_set_back_is_modified_all_the_same() -> None:
    known = document(file("a.md", changed=7))
    assert compare([file("a.md", changed=8)], [known], [], (), no_hash).modified == [file("a.md", changed=8)]
    assert compare([file("a.md", changed=7)], [known], [], (), no_hash) == NOTHING


def test_catalog_that_does_not_know_when_files_changed_is_believed() -> None:
    assert compare([file("a.md", changed=8)], [document(file("a.md"))], [], (), no_hash) == NOTHING


def test_file_that_cannot_be_looked_at_is_left_alone_and_none_beside_it() -> None:
    documents = [document(file(source)) for source in ("a.md", "a.md.md")]
    changes = compare([], documents, [], {("/r", "a.md")}, no_hash)
    assert [gone.id for gone in changes.removed] == ["a.md.md"]


def test_document_of_another_recipe_is_outdated_unless_its_file_has_changed_anyway() -> None:
    documents = [document(file(name), recipe="before") for name in ("same.md", "longer.md", "gone.md")]
    changes = compare([file("same.md"), file("longer.md", size=11)], documents, [], (), no_hash)
    assert changes.outdated == [file("same.md")]
    assert changes.modified == [file("longer.md", size=11)]
    assert [gone.id for gone in changes.removed] == ["gone.md"]


def test_what_lies_below_a_folder_that_cannot_be_read_is_left_alone() -> None:
    documents = [document(file(source)) for source in ("private/a.md", "private/deep/b.md", "privateer.md")]
    failures = [failure(file("private/c.md"))]
    changes = compare([], documents, failures, {("/r", "private/")}, no_hash)
    assert [gone.id for gone in changes.removed] == ["privateer.md"]
    assert changes.cleared == []


def test_moved_file_is_a_rename_and_no_removal() -> None:
    moved = file("new/place.md")
    known = document(file("old.md", content="A"))
    changes = compare([moved], [known], [], (), lambda _: "A")
    assert changes == replace(NOTHING, renamed=[(known, moved)])


def test_new_file_of_the_same_size_but_other_content_is_no_rename() -> None:
    known = document(file("old.md", content="A"))
    changes = compare([file("new.md")], [known], [], (), lambda _: "B")
    assert (len(changes.renamed), len(changes.added), changes.removed) == (0, 1, [known])


def test_copy_is_no_rename_while_the_original_is_there() -> None:
    changes = compare([file("a.md"), file("copy.md")], [document(file("a.md", content="A"))], [], (), no_hash)
    assert ([version.source for version in changes.added], changes.renamed) == (["copy.md"], [])


def test_each_of_several_equal_files_is_renamed_once() -> None:
    known = [document(file(name, content="A")) for name in ("a.md", "b.md")]
    files = [file(name) for name in ("x.md", "y.md", "z.md")]
    changes = compare(files, known, [], (), lambda _: "A")
    assert {gone.id for gone, _ in changes.renamed} == {"a.md", "b.md"}
    assert len({version for _, version in changes.renamed}) == 2
    assert len(changes.added) == 1


def test_file_moves_from_one_watched_folder_into_another() -> None:
    known = document(file("a.md", content="A", root="/one"))
    changes = compare([file("a.md", root="/two")], [known], [], (), lambda _: "A")
    assert [version.root for _, version in changes.renamed] == ["/two"]


def test_failed_file_rests_until_it_changes() -> None:
    failed = failure(file("bad.pdf", content="A"))
    assert compare([file("bad.pdf")], [], [failed], (), no_hash) == NOTHING
    for changed in (file("bad.pdf", size=11), file("bad.pdf", time=2)):
        assert compare([changed], [], [failed], (), no_hash).modified == [changed]


def test_failure_goes_with_its_file() -> None:
    failed = failure(file("bad.pdf"))
    assert compare([], [], [failed], (), no_hash).cleared == [failed.file]


def test_what_came_from_an_unreachable_folder_is_left_alone() -> None:
    known, failed = document(file("a.md", root="/usb")), failure(file("b.md", root="/usb"))
    elsewhere = document(file("c.md"))
    changes = compare([], [known, elsewhere], [failed], {("/usb", "")}, no_hash)
    assert (changes.removed, changes.cleared) == ([elsewhere], [])


def test_document_of_an_unreachable_folder_is_not_taken_for_the_origin_of_a_copy() -> None:
    known = document(file("a.md", content="A", root="/usb"))
    changes = compare([file("a.md")], [known], [], {("/usb", "")}, lambda _: "A")
    assert (len(changes.added), changes.renamed) == (1, [])


PLACES = st.tuples(st.sampled_from(["/r", "/s"]), st.sampled_from([f"{letter}.md" for letter in "abcdef"]))
STATES = st.tuples(st.sampled_from([1, 2]), st.sampled_from([1, 2]), st.sampled_from("AB"))
FOLDERS = st.dictionaries(PLACES, STATES, max_size=8)


def _version(place: tuple[str, str], state: tuple[int, int, str]) -> FileVersion:
    size, time, content = state
    # Equal content has equal length.
    return FileVersion(*place, 10 * size + ord(content), time, f"{content}{size}")


@given(before=FOLDERS, failed_before=FOLDERS, after=FOLDERS, unreachable=st.sets(st.sampled_from(["/r", "/s"])))
def test_applying_the_changes_makes_the_catalog_equal_the_folders(
    before: dict[tuple[str, str], tuple[int, int, str]],
    failed_before: dict[tuple[str, str], tuple[int, int, str]],
    after: dict[tuple[str, str], tuple[int, int, str]],
    unreachable: set[str],
) -> None:
    ids = count()
    contents = {place: _version(place, state) for place, state in after.items() if place[0] not in unreachable}
    indexed = {place: document(_version(place, state), str(next(ids))) for place, state in before.items()}
    failed = {place: _version(place, state) for place, state in failed_before.items() if place not in indexed}
    files = [replace(version, sha256="") for version in contents.values()]

    changes = compare(
        files,
        indexed.values(),
        map(failure, failed.values()),
        {(root, "") for root in unreachable},
        lambda version: contents[version.root, version.source].sha256,
    )

    catalog = {place: (known.file, known.id) for place, known in indexed.items()}
    for gone in changes.removed:
        del catalog[gone.file.root, gone.file.source]
    for known, version in changes.renamed:
        del catalog[known.file.root, known.file.source]
        assert contents[version.root, version.source].sha256 == known.file.sha256, "a rename embeds nothing"
    for known, version in changes.renamed:
        assert (version.root, version.source) not in catalog
        catalog[version.root, version.source] = (version, known.id)
    for version in changes.cleared:
        del failed[version.root, version.source]
    for version in [*changes.added, *changes.modified]:
        failed.pop((version.root, version.source), None)
        catalog[version.root, version.source] = (version, "read")

    seen = {
        place: (version.size_bytes, version.modified_ns)
        for place, version in [*((place, entry[0]) for place, entry in catalog.items()), *failed.items()]
    }
    kept = {place: _version(place, state) for place, state in [*before.items(), *failed_before.items()]}
    expected = contents | {
        place: indexed[place].file if place in indexed else version
        for place, version in kept.items()
        if place[0] in unreachable
    }
    assert seen == {place: (version.size_bytes, version.modified_ns) for place, version in expected.items()}
    assert not catalog.keys() & failed.keys()
