from pathlib import Path

from kb.knowledge_base import KnowledgeBase
from server.measure.eval.declining import Declining, measure_declining
from server.measure.eval.questions import Question
from tests.fakes import FakeLanguageModel
from tests.harness import quick_settings, watching

DOME = "# Dome\n\nThe second dome was repaired in March.\n"


def asked(knowledge_base: KnowledgeBase, *questions: str) -> Declining:
    return measure_declining(knowledge_base, "article gone", [Question(text, text, ()) for text in questions])


def test_share_of_declined_questions_stands_beside_their_number() -> None:
    assert Declining("article gone", 4, ("a",)).metrics == {
        "refused, article gone": 0.75,
        "asked, article gone_count": 4,
    }


def test_answer_is_broken_off_where_it_begins(tmp_path: Path) -> None:
    model = FakeLanguageModel("The second dome was repaired in March.")
    folder = tmp_path / "papers"
    folder.mkdir()
    with watching(quick_settings(tmp_path / "home", min_evidence=0.5), folder, model=model) as watched:
        watched.write("dome.md", DOME)
        watched.sync()
        measured = asked(watched.knowledge_base, "When was the second dome repaired?", "Who plays the xylophone?", " ")
    assert measured.taken == ("When was the second dome repaired?",)
    assert model.finished == ["cancelled"]
