from server.measure.eval.declining import Declining
from server.measure.eval.runs import QuestionSet, Result, Run

RUN = Run(
    when="2026-11-20T10:00:00+00:00",
    set=QuestionSet("squad", "dev.json", "a", "", 48, 240, 50),
    setup={"top_k": 4},
    metrics={"recall@1": 0.9},
    seconds=4.0,
)


def test_declined_questions_stand_beside_the_other_measures() -> None:
    plain = Result(RUN, (), ("a note",))
    gone = Declining("article gone", 3, ("a",)), Declining("paragraph gone", 2, ("b", "c"))
    result = plain.with_declining(gone)
    assert result.declining == gone
    assert {**result.run.metrics, **RUN.metrics} == result.run.metrics
    assert result.run.metrics["refused, article gone"] == 0.6667
    assert result.run.metrics["refused, paragraph gone"] == 0.0
    assert (result.notes, result.run.set, result.run.setup) == (plain.notes, RUN.set, RUN.setup)
    assert plain.run.metrics == {"recall@1": 0.9}
    assert plain.declining == ()


def test_number_of_questions_that_had_no_answer_is_kept() -> None:
    measured = Declining("article gone", 3, ("a",))
    metrics = Result(RUN, ()).with_declining([measured]).run.metrics
    assert [value for name, value in metrics.items() if name.endswith("_count")] == [3]
