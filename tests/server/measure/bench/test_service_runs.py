"""What is measured of a running service, over fakes: all figures come, and what goes wrong is counted."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from kb.errors import InvalidRequest, KBError, ModelError
from kb.values.chat import Generated, GenerationOptions, Message
from server.client.remote import Remote
from server.measure.bench import start_run
from server.measure.bench.comparison import Comparison
from server.measure.bench.load_run import compare_load
from server.measure.bench.service import Served
from server.measure.bench.service_runs import measure_load, measure_start
from server.measure.bench.start_run import compare_start, untuned
from server.measure.bench.typed_run import compare_typed
from tests.fakes import FakeLanguageModel
from tests.harness import quick_settings, serving

NOTES = {
    "dome.md": "The second dome was repaired in March by a carpenter.",
    "soup.md": "The soup of the canteen is made of mushrooms and potatoes.",
    "mast.md": "The north mast is twelve metres high and has three wires.",
}
QUESTIONS = ("When was the second dome repaired?", "What is the soup made of?", "How high is the north mast?")


class DislikesSoup(FakeLanguageModel):
    """Fails where it is asked about soup."""

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[Generated, None, None]:
        if "is the soup" in messages[-1].content:
            raise ModelError("it broke")
        return super().stream(messages, options)


Start = Callable[[], AbstractContextManager[Served]]


@pytest.fixture
def starting(tmp_path: Path) -> Callable[..., Start]:
    """Makes what starts a service; each start has the next of the models, and of what is in the folder."""

    def make(models: Sequence[FakeLanguageModel], notes: Sequence[dict[str, str]] = (NOTES,)) -> Start:
        starts = 0

        @contextmanager
        def start() -> Iterator[Served]:
            nonlocal starts
            folder = tmp_path / "notes"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for name, text in notes[min(starts, len(notes) - 1)].items():
                (folder / name).write_text(text)
            model = models[starts]
            starts += 1
            with (
                serving(quick_settings(tmp_path / "home"), folder, model=model) as service,
                closing(Remote(service.url, "")) as client,
            ):
                yield Served(client, service.url, os.getpid())

        return start

    return make


def by_name(comparisons: Sequence[Comparison]) -> dict[str, Comparison]:
    return {figure.what: figure for figure in comparisons}


def test_typed_questions_are_told_of_and_cold_ones_are_not(starting: Callable[..., Start]) -> None:
    models = FakeLanguageModel(), FakeLanguageModel()
    pairs = [(question, "Which dome is that?") for question in QUESTIONS]
    figures = by_name(compare_typed(starting(models), pairs, chars_per_second=30))
    for what in ("first token of a typed question, s", "first token of a second question, s"):
        figure = figures[what]
        assert figure.plain
        assert figure.ours > 0
    assert figures["declined, of 2 pairs of questions"].ours == 0
    read = [{prompt[-1].content for prompts in model.read for prompt in prompts} for model in models]
    assert all("soup" in text for text in read[0])
    assert any("dome" in text for text in read[1])


def test_all_who_ask_at_once_are_answered(starting: Callable[..., Start]) -> None:
    figures = by_name(compare_load(starting([FakeLanguageModel(), FakeLanguageModel()]), QUESTIONS, QUESTIONS[0]))
    assert figures["questions"].ours == 3
    assert [figures[what].ours for what in ("lost", "mixed up", "worded otherwise")] == [0, 0, 0]
    for what in ("answers a minute", "first token, p50, s", "first token, p95, s", "whole answer, p95, s"):
        assert figures[what].ours > 0
        assert figures[what].plain
    assert figures["peak memory, MB"].ours > 1


def test_answers_that_are_lost_or_mixed_up_are_counted(starting: Callable[..., Start]) -> None:
    others = {name: text for name, text in NOTES.items() if name != "soup.md"}
    start = starting([FakeLanguageModel(), FakeLanguageModel("Something else.")], [NOTES, others])
    figures = by_name(compare_load(start, QUESTIONS, QUESTIONS[0]))
    assert figures["mixed up"].ours >= 1
    assert figures["worded otherwise"].ours == 3


def test_questions_that_fail_are_lost(starting: Callable[..., Start]) -> None:
    figures = by_name(compare_load(starting([FakeLanguageModel(), DislikesSoup()]), QUESTIONS, QUESTIONS[0]))
    assert figures["lost"].ours == 1
    assert figures["mixed up"].ours == 0


def test_first_answer_is_waited_for(starting: Callable[..., Start]) -> None:
    figures = by_name(compare_start(starting([FakeLanguageModel(), FakeLanguageModel()]), QUESTIONS[0]))
    assert figures["until the page is up, s"].ours <= figures["until the first answer, s"].ours
    assert figures["until the first answer, s"].ours <= figures["until all is indexed, s"].ours
    assert figures["whole answer, s"].plain


def test_who_waits_in_vain_hears_why(starting: Callable[..., Start], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_run, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(KBError, match="no answer in 0 s"):
        compare_start(starting([FakeLanguageModel()]), "What is asked here?")


def test_models_are_there_without_what_was_measured_of_them(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "a.gguf").touch()
    (models / "tuning.json").touch()
    assert [path.name for path in untuned(models, tmp_path / "place").iterdir()] == ["a.gguf"]


def test_documents_without_questions_are_refused(tmp_path: Path) -> None:
    settings = quick_settings(tmp_path / "home")
    with pytest.raises(InvalidRequest, match="what is to be asked"):
        measure_load(settings, tmp_path, None, 3)
    with pytest.raises(InvalidRequest, match="what is to be asked"):
        measure_start(settings, tmp_path, "")
    with pytest.raises(InvalidRequest, match="for 400 askers"):
        measure_load(settings, None, None, 400)
