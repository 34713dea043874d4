import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kb.adapters.chroma.local import ChromaStores
from kb.errors import InvalidRequest
from server.cli.bench import app, show_sizes
from server.measure.bench.search_run import SearchBenchmark
from server.measure.bench.synthetic import SyntheticEmbedder
from tests.fakes import FakeEmbedder
from tests.harness import open_fake_knowledge_base, quick_settings
from tests.tiny_e5 import write_tiny_model


@pytest.mark.timeout(60)
def test_knowledge_base_grows_from_size_to_size_and_is_measured_at_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = quick_settings(tmp_path / "home")
    stores = ChromaStores(settings.home / "chroma")
    seen: list[tuple[int, int]] = []
    with open_fake_knowledge_base(
        settings, embedder=SyntheticEmbedder(FakeEmbedder()), stores=stores
    ) as knowledge_base:
        benchmark = SearchBenchmark(knowledge_base, settings.home, questions=4)
        sizes = [benchmark.grow(chunks, lambda done, total: seen.append((done, total))) for chunks in (40, 300)]
        assert knowledge_base.counts() == (sizes[1].documents, sizes[1].chunks)
        again = SearchBenchmark(knowledge_base, settings.home, questions=1).grow(300, lambda done, total: None)
        assert (again.documents, again.chunks) == knowledge_base.counts() == (sizes[1].documents, sizes[1].chunks)
        grown = SearchBenchmark(knowledge_base, settings.home, questions=1).grow(
            sizes[1].chunks + 1, lambda done, total: None
        )
        assert grown.documents > sizes[1].documents, "a kept base goes on with other documents"
        assert len({document.file.source[:2] for document in knowledge_base.documents()}) == 2
    assert 40 <= sizes[0].chunks < 300 <= sizes[1].chunks
    assert seen[0] == (0, 40)
    assert {total for _, total in seen} == {40, 300}
    for size in sizes:
        assert [searches.where for searches in size.searches] == ["everywhere", "half", "1 in 50"]
        assert {searches.questions for searches in size.searches} == {4}
        for searches in size.searches:
            assert 0 < searches.whole.p50 <= searches.whole.p95 <= searches.whole.longest
            assert list(searches.parts) == ["embed", "dense", "lexical", "rest"]
            assert all(0 < part.p50 < searches.whole.longest for part in searches.parts.values())
    assert sizes[0].catalog_bytes < sizes[1].catalog_bytes
    assert sizes[0].index_bytes > 0
    show_sizes(sizes)
    shown = capsys.readouterr().out
    assert "everywhere" in shown
    assert f"{sizes[1].searches[0].whole.p95:.1f}" in shown
    assert "made up" in shown
    assert "…" not in shown, "the table fits into 80 columns"


@pytest.mark.timeout(120)  # may be the first to import the libraries
def test_command_measures_with_the_model_of_the_settings_in_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "e5").mkdir()
    monkeypatch.setenv("KB_EMBEDDING_MODEL", str(write_tiny_model(tmp_path / "e5")))
    monkeypatch.setenv("KB_EMBEDDING_BACKEND", "torch")
    command = ["search", "--chunks", "30", "--queries", "2", "--base", str(tmp_path / "base"), "--json"]
    printed = json.loads(CliRunner().invoke(app, command, catch_exceptions=False).stdout)
    assert "made up" in printed["note"]
    assert printed["sizes"][0]["chunks"] >= 30
    assert printed["sizes"][0]["searches"][0]["whole"]["p95"] > 0
    assert (tmp_path / "base" / "home" / "catalog.sqlite3").exists()
    assert not (tmp_path / "home").exists(), "the user's own knowledge base is left alone"


@pytest.mark.parametrize("sizes", ["many", "1000,100", "0", "", "1000,1000"])
def test_sizes_that_make_no_sense_are_refused(sizes: str) -> None:
    with pytest.raises(InvalidRequest, match="--chunks"):
        CliRunner().invoke(app, ["search", "--chunks", sizes], catch_exceptions=False)
