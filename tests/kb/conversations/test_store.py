from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kb.conversations.standing import standing
from kb.conversations.store import MAX_TITLE_CHARS, ConversationStore
from kb.errors import InvalidRequest, NotFound
from kb.values.answers import Citation
from kb.values.conversations import KeptTurn

QUOTE = "Otters sleep while they float."


def citation(document_id: str = "d1", quote: str = QUOTE, start: int = 0) -> Citation:
    return Citation(1, document_id, "Otters", "otters.md", 2, "", quote, start, start + len(quote), 0, 9, True, 1.0)


TURN = KeptTurn("Where do otters\nsleep?", "They float.", (citation(), citation("d2", "Seals dive.")), "model")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conversations.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[ConversationStore]:
    with closing(ConversationStore(path)) as store:
        yield store


def kept(store: ConversationStore, turn: KeptTurn = TURN) -> str:
    conversation_id = store.begin()
    store.add(conversation_id, turn)
    return conversation_id


def bytes_on_disk(path: Path) -> bytes:
    return b"".join(each.read_bytes() for each in path.parent.iterdir())


def test_a_conversation_comes_back_as_it_was_kept(store: ConversationStore, path: Path) -> None:
    conversation_id = kept(store)
    store.add(conversation_id, KeptTurn("And seals?", "They dive."))
    store.close()
    with closing(ConversationStore(path)) as again:
        conversation = again.get(conversation_id)
    assert conversation.info.title == "Where do otters sleep?"
    assert (conversation.info.turns, len(conversation.turns)) == (2, 2)
    assert conversation.turns[0].citations == TURN.citations
    assert path.stat().st_mode & 0o077 == 0


def test_the_latest_is_listed_first_and_each_is_found_by_its_words(store: ConversationStore) -> None:
    first = kept(store)
    second = kept(store, KeptTurn("有多少张床？", "十六张_%。"))
    assert [each.id for each in store.list()] == [second, first]
    store.add(first, KeptTurn("Why?", "Because."))
    assert [each.id for each in store.list()] == [first, second]
    assert [each.id for each in store.list("BECAUSE")] == [first]
    assert [each.id for each in store.list("十六")] == [second]
    assert [each.id for each in store.list("_%")] == [second]
    assert store.list("zebra") == []
    assert [each.id for each in store.list(limit=1)] == [first]


def test_a_title_can_be_changed_and_has_a_limit(store: ConversationStore) -> None:
    conversation_id = kept(store)
    store.rename(conversation_id, "  Sleeping\notters " + "x" * 500)
    title = store.list()[0].title
    assert title.startswith("Sleeping otters x")
    assert len(title) == MAX_TITLE_CHARS


def test_of_what_is_deleted_nothing_is_left_on_the_disk(store: ConversationStore, path: Path) -> None:
    conversation_id, other = kept(store), kept(store, KeptTurn("And seals?", "They dive."))
    assert QUOTE.encode() in bytes_on_disk(path)
    store.delete(conversation_id)
    for written in (QUOTE, "They float", "Where do otters"):
        assert written.encode() not in bytes_on_disk(path)
    assert [each.id for each in store.list()] == [other]


def test_quotes_of_a_document_that_is_forgotten_go_and_the_others_stay(store: ConversationStore, path: Path) -> None:
    conversation_id = kept(store)
    store.forget_document("d1")
    assert QUOTE.encode() not in bytes_on_disk(path)
    assert [each.quote for each in store.get(conversation_id).turns[0].citations] == ["", "Seals dive."]


def test_nothing_is_kept_and_no_file_is_made_where_that_is_not_wanted(path: Path) -> None:
    with closing(ConversationStore(path, keeps=False)) as store:
        with pytest.raises(InvalidRequest, match="not kept"):
            store.begin()
        store.forget_document("d1")
        assert store.list() == []
        assert not path.exists()


def test_what_was_kept_before_can_still_be_read_and_deleted(store: ConversationStore, path: Path) -> None:
    conversation_id = kept(store)
    store.close()
    with closing(ConversationStore(path, keeps=False)) as off:
        with pytest.raises(InvalidRequest):
            off.add(conversation_id, TURN)
        assert len(off.get(conversation_id).turns) == 1
        off.delete(conversation_id)
        assert off.list() == []


def test_what_is_not_there_is_told(store: ConversationStore) -> None:
    for _ in ("without a file", "with one"):
        for work in (
            lambda: store.get("none"),
            lambda: store.rename("none", "x"),
            lambda: store.delete("none"),
        ):
            with pytest.raises(NotFound, match="'none'"):
                work()
        store.begin()
    with pytest.raises(NotFound):
        store.add("none", TURN)


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        (QUOTE, 0, "there"),
        (f"A new line.\n{QUOTE}", 12, "there"),
        ("Otters swim while they float.", 0, "changed"),
        (None, 0, "gone"),
    ],
)
def test_a_citation_knows_what_has_become_of_it(text: str | None, place: int, expected: str) -> None:
    found, how = standing(citation(), {"d1": text}.get)
    assert (how, found.start) == (expected, place)
    assert found.end - found.start == len(QUOTE)
