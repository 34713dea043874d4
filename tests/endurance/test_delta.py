import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kb.settings import Settings
from kb.text.sentences import sentence_spans
from tests.endurance.comparing import Words
from tests.endurance.running import running
from tests.fakes import FakeEmbedder
from tests.harness import Watched, eventually, watching

ENGLISH = "Nobody had expected {} to be there when the winter came, but the {} counted {} times. "
CHINESE = "第{}号观测站的值班员在{}年冬天记录了{}次极光。"
_TOKEN = re.compile(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+|[^\w\s]")


class CharacterEmbedder(FakeEmbedder):
    """Counts each Chinese character as a token, as real tokenizers nearly do."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(_TOKEN.findall(text)) for text in texts]


def finds_all(watched: Watched, words: list[str], parent: str) -> bool:
    names = {document.id: document.file.source for document in watched.knowledge_base.documents()}
    return all(
        any(names[passage.document_id].startswith(parent) for passage in watched.knowledge_base.search(word, 2))
        for word in words
    )


@pytest.mark.slow
def test_renamed_folder_of_two_hundred_documents_is_found_under_its_new_name_and_nothing_embedded(
    settings: Settings, folder: Path, dice: random.Random
) -> None:
    words = Words(dice)
    as_by_default = settings.model_copy(
        update={"settle_seconds": type(settings).model_fields["settle_seconds"].default}
    )
    (folder / "old").mkdir()
    for number in range(200):
        (folder / "old" / f"{number}.md").write_text(words.text(sentences=1))
    with running(as_by_default, folder) as watched:
        watched.sync()
        assert len(watched.sources) == 200
        embedded = len(watched.embedder.embedded)
        (folder / "old").rename(folder / "new")
        assert eventually(lambda: all(source.startswith("new/") for source in watched.sources), 5)
        assert len(watched.sources) == 200
        assert finds_all(watched, words.made, "new/")
        assert len(watched.embedder.embedded) == embedded


@pytest.mark.slow
@pytest.mark.parametrize("pattern", [ENGLISH, CHINESE], ids=["english", "chinese"])
def test_one_changed_sentence_of_a_long_document_embeds_at_most_three_chunks(
    settings: Settings, folder: Path, dice: random.Random, scaled: Callable[[int, int], int], pattern: str
) -> None:
    def sentence() -> str:
        return pattern.format(*(dice.randint(1, 10 ** dice.randint(1, 7)) for _ in range(3)))

    with watching(settings, folder, embedder=CharacterEmbedder()) as watched:
        text = "# Log\n\n" + "".join(sentence() + ("\n\n" if dice.random() < 0.1 else "") for _ in range(2400))
        watched.write("long.md", text)
        watched.sync()
        assert watched.documents["long.md"].chunk_count >= 200
        spans = sentence_spans(text)[1:]
        places = [spans[0], spans[len(spans) // 2], spans[-1], *dice.sample(spans, scaled(0, 40))]
        for start, end in places:
            for changed in (sentence(), ""):
                watched.sync()
                before = len(watched.embedder.embedded)
                watched.write("long.md", text[:start] + changed + text[end:])
                watched.sync()
                assert len(watched.embedder.embedded) - before <= 3, (start, changed)
            watched.write("long.md", text)
