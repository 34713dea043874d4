"""Questions for measurements: two each on the same passages."""

import json
from pathlib import Path

from kb.errors import InvalidRequest
from server.measure.eval.files import read_bytes
from server.measure.eval.questions import spread_out
from server.measure.eval.squad import SquadSet, read_squad

SAMPLES = Path("sample_docs")

Pair = tuple[str, str]
"""Two questions on the same passages."""

SAMPLE_PAIRS: tuple[Pair, ...] = (
    ("How many beds does the guest house at the observatory have?", "How do I book a bed in the guest house?"),
    ("At what baud rate does the serial console of the relay run?", "Which cable does the relay's console need?"),
    ("十分钟平均风速达到多少，就必须关闭圆顶？", "风速降到多少以后可以再打开圆顶？"),
    ("How wide is the field of view of Lantern II?", "Which field of view does Lantern I have?"),
    ("How deep may fresh snow be that the rover moves in one pass?", "How deep may wet spring snow be for the rover?"),
    ("萎凋的时候，云针要放几个小时？", "萎凋的时候，露芽要放几个小时？"),
    ("At what height does the upper air glow in green?", "Which atoms make the green glow of the upper air?"),
)


def choose_pairs(folder: Path | None, pairs: Path | None, squad: Path | None, limit: int) -> list[Pair]:
    """The questions to ask.

    Args:
        folder: With the documents that are asked about; None: the sample documents of a checkout.
        pairs: JSON file with a list of pairs of questions, about the documents of the folder.
        squad: File in SQuAD format that is asked instead; two questions of each paragraph.
        limit: How many pairs at most.

    Raises:
        InvalidRequest: A file cannot be used, or there are documents without questions, or questions without documents.
    """
    if limit == 0:
        return []
    if squad:
        return _pairs_of(read_squad(squad), limit)
    documents = folder or SAMPLES
    if not documents.is_dir():
        raise InvalidRequest(f"{documents} is not a folder", "name a folder and --pairs, or --squad, or --limit 0")
    if pairs:
        return _read_pairs(pairs)[:limit]
    if folder:
        raise InvalidRequest(f"what is to be asked about {folder}?", "--pairs names a file with questions")
    return list(SAMPLE_PAIRS[:limit])


def _read_pairs(path: Path) -> list[Pair]:
    try:
        return [(str(first), str(second)) for first, second in json.loads(read_bytes(path))]
    except (ValueError, TypeError) as error:
        raise InvalidRequest(
            f"{path} is no list of pairs of questions", 'it must look like [["A question?", "Another?"]]'
        ) from error


def _pairs_of(squad: SquadSet, limit: int) -> list[Pair]:
    """Two questions of the same paragraph each."""
    by_place: dict[tuple[int, int], list[str]] = {}
    for asked in squad.asked:
        by_place.setdefault(asked.place, []).append(asked.question.text)
    return spread_out([(texts[0], texts[1]) for texts in by_place.values() if len(texts) > 1], limit)
