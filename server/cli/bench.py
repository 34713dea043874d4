"""`kb bench`: measures speed and size on this machine. What is measured, `server.measure.bench` knows.

Errors pass through: the command line as a whole turns a `KBError` into a message and an exit code.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.filesize import decimal

from kb import settings
from kb.errors import InvalidRequest
from server.cli.arguments import AsJson
from server.settings import ServerSettings
from server.terminal import console
from server.terminal.tables import figures

if TYPE_CHECKING:
    from server.measure.bench.comparison import Comparison
    from server.measure.bench.search_run import Size

app = typer.Typer(help="Measure speed and size on this machine.", no_args_is_help=True)

NOTE = (
    "Documents are made up, and so are their vectors, near real ones; each question is embedded by the real model. "
    "Times are in milliseconds, from the question to its passages; those of the parts are medians. A filter leaves "
    "half of the documents to be searched, or 1 in 50."
)


@app.command()
def search(
    chunks: Annotated[str, typer.Option(help="Sizes, in chunks, with commas between.")] = "1000,10000,100000",
    queries: Annotated[int, typer.Option(min=1, help="How many questions at each size.")] = 100,
    base: Annotated[
        Path | None, typer.Option(help="Keep the knowledge base in this folder, so that the next run is quick.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measures how long a search takes in knowledge bases of several sizes, and what they need of memory and disk.

    They are made of synthetic documents; 100,000 chunks take some minutes, and about a gigabyte of disk meanwhile.

    Examples:

    kb bench search --chunks 1000,10000

    kb bench search --base ~/bench-base --json > before.json
    """
    from server.measure.bench.search_run import measure_search

    found = measure_search(settings.load(kind=ServerSettings), _sizes(chunks), queries, base)
    if as_json:
        print(json.dumps({"note": NOTE, "sizes": [dataclasses.asdict(size) for size in found]}, indent=2))
    else:
        show_sizes(found)


@app.command()
def answer(
    folder: Annotated[Path | None, typer.Argument(help="Documents to ask about; none: sample_docs.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="JSON: pairs of questions on the same passages of them.")] = None,
    squad: Annotated[Path | None, typer.Option(help="Ask questions of a set in SQuAD format instead.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many pairs of questions; 0: none.")] = 20,
    rounds: Annotated[int, typer.Option(min=0, help="How often generation is measured; 0: not at all.")] = 9,
    tokens: Annotated[int, typer.Option(min=2, help="How many tokens are generated each time.")] = 96,
    as_json: AsJson = False,
) -> None:
    """Measures tokens per second against llama.cpp alone, and the time to a first token against a plain prompt.

    Examples:

    kb bench answer sample_docs --pairs pairs.json

    kb bench answer --squad dev-v2.0.json --rounds 0
    """
    from server.measure.bench.answer_run import AnswerBenchmark, measure_answers

    options = AnswerBenchmark(folder, pairs, squad, limit, rounds, tokens)
    _show(measure_answers(settings.load(kind=ServerSettings), options), as_json)


@app.command()
def typed(
    folder: Annotated[Path | None, typer.Argument(help="Documents to ask about; none: sample_docs.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="JSON: pairs of questions on the same passages of them.")] = None,
    squad: Annotated[Path | None, typer.Option(help="Ask questions of a set in SQuAD format instead.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many pairs of questions; the last one warms up.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Measures how soon a typed question is answered, against the same sent cold; and a second one against the first.

    Questions are typed at 5 characters a second, and the service is told of them by `POST /prepare`, as the page does.

    Example:

    kb bench typed --squad dev-v2.0.json --limit 9
    """
    from server.measure.bench.service_runs import measure_typed

    _show(measure_typed(settings.load(kind=ServerSettings), folder, pairs, squad, limit), as_json)


@app.command()
def load(
    folder: Annotated[Path | None, typer.Argument(help="Documents to ask about; none: sample_docs.")] = None,
    questions: Annotated[
        Path | None, typer.Option(help="Questions of several kinds about them: JSON lines, as for `kb eval kinds`.")
    ] = None,
    askers: Annotated[int, typer.Option(min=1, help="How many ask at once, one question each.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Measures many who ask at once, against one after the other: answers a minute, waiting, memory, what is lost.

    Example:

    kb bench load sample_docs --askers 20
    """
    from server.measure.bench.service_runs import measure_load

    _show(measure_load(settings.load(kind=ServerSettings), folder, questions, askers), as_json)


@app.command()
def start(
    folder: Annotated[Path | None, typer.Argument(help="Documents to ask about; none: sample_docs.")] = None,
    question: Annotated[str, typer.Option(help="What is asked; the documents should hold a long answer.")] = "",
    as_json: AsJson = False,
) -> None:
    """Measures the time from a start to the first answer, and that answer against the same one after a restart.

    Models are there; nothing is indexed, and nothing was measured of them.

    Example:

    kb bench start ~/notes --question "How is the boiler lit?"
    """
    from server.measure.bench.service_runs import measure_start

    _show(measure_start(settings.load(kind=ServerSettings), folder, question), as_json)


@app.command()
def ingest(
    folders: Annotated[list[Path], typer.Argument(help="Folders to index; the index is thrown away.")],
    plain: Annotated[bool, typer.Option("--plain/--no-plain", help="Whether to measure the plain way as well.")] = True,
    as_json: AsJson = False,
) -> None:
    """Measures how fast folders are indexed, against a short script with the same libraries.

    Examples:

    kb bench ingest sample_docs

    kb bench ingest ~/papers --no-plain --json
    """
    from server.measure.bench.ingest_run import measure_ingestion

    _show(measure_ingestion(settings.load(kind=ServerSettings), folders, plain=plain), as_json)


@app.command()
def embed(
    folder: Annotated[Path, typer.Argument(help="Its Markdown and text files are embedded.")] = Path("sample_docs"),
    squad: Annotated[
        list[Path] | None,
        typer.Option(help="Set in SQuAD format to embed instead, and to search; may be repeated."),
    ] = None,
    texts: Annotated[int, typer.Option(min=1, help="How many paragraphs are embedded in each round.")] = 64,
    as_json: AsJson = False,
) -> None:
    """Measures how fast texts are embedded, and in how much memory, against sentence-transformers in torch.

    Examples:

    kb bench embed sample_docs

    kb bench embed --squad xquad.en.json --squad xquad.zh.json
    """
    from server.measure.bench.embed_run import measure_embedding

    _show(measure_embedding(settings.load(kind=ServerSettings), folder, squad or [], texts), as_json)


@app.command()
def ocr(
    texts: Annotated[Path, typer.Argument(help="Set in SQuAD format; a page holds one of its paragraphs.")],
    font: Annotated[Path, typer.Option(help="TrueType or OpenType file that has the characters of the texts.")],
    pages: Annotated[int, typer.Option(min=1, help="How many are read under each condition.")] = 20,
    dpi: Annotated[str, typer.Option(help="Dots per inch, with commas between.")] = "100,200,300",
) -> None:
    """Measures how well and how fast text is read in pictures, of pages that are rendered clean, askew and noisy.

    Example:

    kb bench ocr xquad.zh.json --font /usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc
    """
    from server.measure.bench.ocr_pages import Condition
    from server.measure.bench.ocr_run import measure_ocr

    ways = ((0.0, False), (2.0, False), (0.0, True), (2.0, True))
    conditions = [Condition(dots, skew, is_noisy) for dots in _sizes(dpi, "--dpi") for skew, is_noisy in ways]
    for found in measure_ocr(texts, font, pages, conditions):
        asked = found.condition
        how = f"{asked.dpi} dpi, {asked.skew_degrees:g}° askew, {'noisy' if asked.is_noisy else 'clean'}"
        right = f"{found.right:.4f} of the characters right, {found.worst:.4f} on the worst page"
        console.out.print(f"{how}: {right}; {found.cpu_seconds:.1f} s, {decimal(found.memory_bytes)}")


@app.command()
def boxes(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="PDF files, or folders of them.")],
    quotes: Annotated[int, typer.Option(min=1, help="How many sentences, of all files together.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the choice of sentences.")] = 0,
) -> None:
    """Measures whether the boxes that mark a quote on its page cover its words, as OCR reads them.

    Example:

    kb bench boxes sample_docs
    """
    from server.measure.bench.boxes_run import COVERED, measure_boxes

    files = [file for path in paths for file in (sorted(path.rglob("*.pdf")) if path.is_dir() else [path])]
    count = covered = 0
    for each in measure_boxes(files, quotes, seed):
        count += 1
        covered += each.share >= COVERED
        if each.share < COVERED:
            place = f"{each.quote.path.name}, page {each.quote.page}"
            console.out.print(f"{place}: {each.share:.2f} of {each.quote.text!r}, read: {each.read!r}", markup=False)
    console.out.print(f"{covered} of {count} quotes are covered by their boxes")


def show_sizes(sizes: Sequence["Size"]) -> None:
    """Prints what was measured."""
    parts = list(sizes[0].searches[0].parts)
    times = []
    for size in sizes:
        for searches in size.searches:
            whole, medians = searches.whole, (searches.parts[name].p50 for name in parts)
            milliseconds = (f"{value:.1f}" for value in (whole.p50, whole.p95, whole.longest, *medians))
            times.append((f"{size.chunks:,}", searches.where, *milliseconds))
    room = []
    for size in sizes:
        disk = (decimal(value) for value in (size.resident_bytes, size.catalog_bytes, size.index_bytes))
        room.append((f"{size.chunks:,}", f"{size.documents:,}", f"{size.build_seconds:.0f} s", *disk))
    console.out.print(
        figures(("chunks", "searched", "p50", "p95", "max", *parts), times, words=("searched",)),
        figures(("chunks", "documents", "built in", "memory", "catalog", "index"), room),
        sep="\n\n",
    )
    console.out.print(f"\n[dim]{NOTE}[/]")


def _show(comparisons: Sequence["Comparison"], as_json: bool) -> None:
    if as_json:
        print(json.dumps([dataclasses.asdict(figure) | {"ratio": figure.ratio} for figure in comparisons], indent=2))
        return
    rows = (
        (figure.what, *map(_written, (figure.ours, figure.plain, figure.ratio)), figure.plain_way)
        for figure in comparisons
    )
    console.out.print(figures(("", "r1-kb", "plain", "ratio", "plain way"), rows, words=("", "plain way")))


def _written(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _sizes(text: str, option: str = "--chunks") -> list[int]:
    try:
        sizes = [int(part.replace("_", "")) for part in text.split(",")]
    except ValueError as error:
        raise InvalidRequest(f"{option} {text!r} is no list of numbers", f"for example {option} 1000,10000") from error
    if not all(before < after for before, after in zip([0, *sizes], sizes, strict=False)):
        raise InvalidRequest(f"{option} {text!r} does not grow", "name the smallest first")
    return sizes
