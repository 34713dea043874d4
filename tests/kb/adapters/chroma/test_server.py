"""The index on a Chroma server that is killed, emptied, replaced and lags: no wrong answer, nothing embedded anew."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kb.adapters.chroma import server as adapter
from kb.adapters.chroma.server import ChromaServerIndex, ChromaServerStores
from kb.errors import SettingsError, VectorIndexError
from tests.chroma_server import ChromaServerProcess
from tests.fakes import FakeEmbedder
from tests.kb.indexing.index_harness import CAT, FOX, WHALE, Running, running

pytestmark = pytest.mark.timeout(150)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChromaServerProcess]:
    server = ChromaServerProcess(tmp_path / "server")
    server.start()
    yield server
    server.kill()


@pytest.fixture(autouse=True)
def checked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "CHECK_SECONDS", 0.0)


def stores(server: ChromaServerProcess, home: Path) -> ChromaServerStores:
    home.mkdir(exist_ok=True)
    return ChromaServerStores(server.url, home / "chroma-owner")


def has_vector(process: Running, text: str) -> bool:
    try:
        found = process.index.search(FakeEmbedder().embed_query(text), 1)
    except VectorIndexError:
        return False
    return bool(found) and found[0][1] == pytest.approx(1.0, abs=1e-4)


def by_words(process: Running, text: str) -> bool:
    """Whether a text is found, be it by its words alone."""
    return any(text in passage for passage in process.found(text))


def assert_heals(process: Running) -> None:
    process.embedder.embedded.clear()
    process.maintain()
    process.assert_in_step()
    assert process.embedder.embedded == []
    assert has_vector(process, WHALE)
    assert has_vector(process, FOX)


def test_killed_server_leaves_words_and_what_is_written_meanwhile_is_made_good(
    server: ChromaServerProcess, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with running(home, stores(server, home)) as process:
        process.write(WHALE, FOX)
        server.kill()
        assert by_words(process, WHALE)
        with pytest.raises(VectorIndexError, match=r"Chroma server .* failed"):
            process.write(CAT, source="b.md")
        with pytest.raises(VectorIndexError):
            process.maintain()
        server.start()
        assert_heals(process)
        process.write(CAT, source="b.md")
        assert has_vector(process, CAT)
        process.assert_in_step()


def test_restarted_server_goes_on(server: ChromaServerProcess, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, stores(server, home)) as process:
        process.write(WHALE, FOX)
        generation = process.generation
        server.kill()
        server.start()
        assert has_vector(process, WHALE)
        assert process.maintain() == 0
        assert process.generation == generation


def test_emptied_server_is_noticed_and_filled_from_the_catalog(server: ChromaServerProcess, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, stores(server, home)) as process:
        process.write(WHALE, FOX)
        server.kill()
        server.start(tmp_path / "empty")
        assert by_words(process, WHALE)
        assert not has_vector(process, WHALE)
        assert_heals(process)


def test_server_that_has_lost_some_vectors_is_noticed(server: ChromaServerProcess, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, stores(server, home)) as process:
        process.write(WHALE, FOX)
        index = process.index
        assert isinstance(index, ChromaServerIndex)
        with index._opened() as collection:
            collection.delete(ids=[next(iter(index.ids()))])
        index._ids = {"as", "before"}
        process.found(WHALE)
        assert not has_vector(process, WHALE)
        assert_heals(process)


def test_start_while_the_server_is_away(server: ChromaServerProcess, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, stores(server, home)) as process:
        process.write(WHALE, FOX)
    server.kill()
    with running(home, stores(server, home)) as process:
        assert by_words(process, WHALE)
        assert not has_vector(process, WHALE)
        server.start()
        assert_heals(process)
    with running(home, stores(server, home)) as process:
        process.assert_in_step()
        assert process.embedder.embedded == []


def test_older_state_of_the_server_is_put_in_step_at_the_start(server: ChromaServerProcess, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, stores(server, home)) as process:
        process.write(WHALE, FOX)
        index = process.index
        assert isinstance(index, ChromaServerIndex)
        with index._opened() as collection:
            collection.delete(ids=[next(iter(index.ids()))])
    with running(home, stores(server, home)) as process:
        process.assert_in_step()
        assert has_vector(process, WHALE)
        assert process.embedder.embedded == []


def test_two_data_directories_on_one_server_leave_each_other_alone(server: ChromaServerProcess, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with running(one, stores(server, one)) as first, running(other, stores(server, other)) as second:
        first.write(WHALE, FOX)
        second.write(CAT)
        first.catalog.ledger.add("renewals")
        assert_heals(first)
        second.assert_in_step()
        assert has_vector(second, CAT)


def test_index_that_was_never_filled_for_lack_of_a_server_does_not_pass_for_empty(tmp_path: Path) -> None:
    index = ChromaServerStores("http://127.0.0.1:9", tmp_path / "owner").create("one", "model")
    assert index.search(np.ones(2, np.float32), 1) == []
    with pytest.raises(VectorIndexError):
        index.upsert(["a"], np.eye(1, 2, dtype=np.float32))
    with pytest.raises(VectorIndexError, match="has not taken all"):
        index.search(np.ones(2, np.float32), 1)


@pytest.mark.parametrize("url", ["localhost:8000", "http://", "http://h:x", "http://h/api/v2", "ftp://h"])
def test_odd_address_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no address of a Chroma server"):
        ChromaServerStores(url, tmp_path / "owner")
