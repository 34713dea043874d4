import datetime
import io
from collections.abc import Sequence

from rich.console import Console

from ingest.formats.showing import View
from kb.values.documents import FailureKind
from server.http import schemas
from server.terminal.status_view import extensions, next_try, show_status, when

NOW = datetime.datetime.now(datetime.UTC)
MODEL = schemas.Model(
    state="ready", name="fake", note="", reasons=False, context_tokens=None, device=None, progress=None, error=None
)


def failure(
    source: str,
    kind: FailureKind = FailureKind.UNREADABLE,
    next_try_at: datetime.datetime | None = None,
    attempts: int = 1,
) -> schemas.Failure:
    return schemas.Failure(
        root="/papers",
        source=source,
        reason=f"reason of [{source}]",
        hint=f"hint for {source}",
        attempts=attempts,
        failed_at=NOW,
        kind=kind,
        next_try_at=next_try_at,
    )


def document(source: str, page_count: int, unread_pages: list[int]) -> schemas.Document:
    return schemas.Document(
        id="1",
        title=source,
        root="/papers",
        source=source,
        media_type="application/pdf",
        tags=[],
        date=None,
        page_count=page_count,
        unread_pages=unread_pages,
        view=View.PAGES,
        chunk_count=1,
        text_chars=1,
        size_bytes=1,
        modified=NOW,
        indexed_at=NOW,
        url="/",
    )


def shown(
    *failures: schemas.Failure,
    folders: int = 1,
    reranker: schemas.Model | None = None,
    partly_read: Sequence[schemas.Document] = (),
    **index: object,
) -> list[str]:
    values = {"pending": 0, "failed": 0, "last_sync": None, "current": None, "degraded": False, "error": None}
    status = schemas.Status(
        version="1",
        ready=True,
        documents=3,
        chunks=7,
        folders=[schemas.Folder(path=f"/papers{number}", reachable=number == 0) for number in range(folders)],
        index=schemas.IndexStatus.model_validate({**values, "work": None, "building": None, **index}),
        failures=list(failures),
        partly_read=list(partly_read),
        unsupported={".docx": 12, "": 1},
        models=schemas.Models(answer=MODEL, embedding=MODEL, reranker=reranker),
    )
    console = Console(file=io.StringIO(), width=200)
    show_status(console, status)
    return console.file.getvalue().splitlines()


def test_documents_with_pages_that_have_no_text_are_named() -> None:
    lines = shown(partly_read=[document("scan [1].pdf", 3, [2]), document("book.pdf", 90, list(range(1, 21)))])
    at = lines.index("  scan [1].pdf: 1 of 3 pages has no text: 2")
    assert lines[at - 1] == "partly read (2):"
    assert "OCR" in lines[at + 2]
    assert lines[at + 1] == "  book.pdf: 20 of 90 pages have no text: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, …"


def test_each_failure_has_reason_hint_tries_and_the_next_one() -> None:
    lines = shown(failure("a.pdf", attempts=2))
    at = lines.index("  a.pdf: reason of [a.pdf]")
    assert lines[at - 1] == "not indexed (1):"
    assert lines[at + 1] == "    → hint for a.pdf"
    assert lines[at + 2] == f"    tried 2 times, last: {when(NOW)}; next try: when the file changes"


def test_next_try_says_when_or_upon_what() -> None:
    assert next_try(failure("a", next_try_at=NOW)) == f"next try: {NOW.astimezone():%H:%M}"
    assert next_try(failure("a")) == "next try: when the file changes"
    assert next_try(failure("a", FailureKind.QUARANTINED)).startswith(
        "quarantined; next try: when the file changes, or"
    )


def test_forgotten_files_stand_apart_and_are_no_failures() -> None:
    lines = shown(failure("a.pdf"), failure("diary.md", FailureKind.FORGOTTEN))
    assert "not indexed (1):" in lines
    (title,) = (at for at, line in enumerate(lines) if line.startswith("forgotten at your wish"))
    assert title > lines.index("not indexed (1):")
    assert lines[title + 1].startswith("  diary.md (")
    assert not any("reason of [diary.md]" in line for line in lines)


def test_without_failures_nothing_is_said_of_them() -> None:
    text = "\n".join(shown())
    assert "not indexed" not in text
    assert "forgotten" not in text


def test_of_several_folders_the_whole_path_is_shown_and_the_one_that_is_away() -> None:
    lines = shown(failure("a.pdf"), folders=2)
    assert "  /papers/a.pdf: reason of [a.pdf]" in lines
    assert any("/papers1" in line and "its documents are kept" in line for line in lines)


def test_types_that_nobody_reads_are_one_line() -> None:
    assert "not read, type unknown: 12 .docx, 1 without extension" in shown()
    many = {f".{letter}": 1 for letter in "abcdefghij"} | {".z": 2000}
    assert extensions(many) == "2,000 .z, 1 .a, 1 .b, 1 .c, 1 .d, 1 .e, 1 .f, 1 .g, 3 others"


def test_work_and_a_new_index_are_one_line() -> None:
    building = schemas.Progress(label="making a new index", done=1, total=2, unit="chunks")
    assert any(line.endswith("making a new index: 1 of 2 chunks") for line in shown(building=building))
    assert not any(line.startswith("indexing") for line in shown())


def test_degraded_says_what_can_be_done() -> None:
    assert any("max_user_watches" in line for line in shown(degraded=True))


def test_moments_of_other_days_have_a_date() -> None:
    assert when(NOW - datetime.timedelta(days=400)).count("-") == 2


def test_reranker_has_a_line_if_one_is_set_and_what_keeps_it_away_is_said() -> None:
    assert not any(line.startswith("reranks") for line in shown())
    assert any(line.split() == ["reranks", "fake", "(ready)"] for line in shown(reranker=MODEL))
    error = schemas.Error(code="model_download", message="no [hub]", hint="set HF_ENDPOINT")
    failed = MODEL.model_copy(update={"state": "failed", "note": "searches go on without it", "error": error})
    lines = shown(reranker=failed)
    assert any(line.split() == ["reranks", "fake", "(failed)"] for line in lines)
    at = lines.index("searches go on without it: no [hub]")
    assert lines[at + 1] == "→ set HF_ENDPOINT"
