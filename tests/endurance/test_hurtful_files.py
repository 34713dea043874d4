import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from tests.endurance.hurtful_files import Hurtful, make, restless
from tests.endurance.served_process import Observed, ServedProcess, observing, serving_process
from tests.harness import eventually

ORDINARY = {
    "lantern.md": ("Who repaired the lantern of the lighthouse?", "# Lighthouse\n\nAda Okafor repaired the lantern.\n"),
    "tea.md": ("几天之内要焙干茶叶？", "# 茶园\n\n茶园的茶叶要在七天之内焙干。\n"),
}
LATE = {f"late-{n}.md": f"# Late {n}\n\nThe kiosk number {n} sells postcards.\n" for n in range(3)}
LARGE = ("arabic.txt", "chinese.txt", "one-line.txt")
"""Small files go first, so that these are hardly begun where all are dropped: they have a run of their own."""
STATUS_SECONDS = 1.0
LATE_SECONDS = 20.0
END_SECONDS = 10.0
PEAK_BYTES = 1_500_000_000
QUESTIONS_PER_ANSWER = 20


class Asking:
    """Asks for the ordinary documents in turn; each must be among what is found."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self, served: ServedProcess) -> tuple[str, str | None]:
        self._asked += 1
        source, (question, _) = list(ORDINARY.items())[self._asked % 2]
        if self._asked % QUESTIONS_PER_ANSWER:
            passages = served.post("/search", query=question, top_k=10)["passages"]
            route = "/search"
        else:
            passages = served.post("/ask", question=question, thinking="off")["passages"]
            route = "/ask"
        found = [passage["source"] for passage in passages]
        return route, None if source in found else f"{source} is not found, but {found}"


def are_all_indexed(served: ServedProcess, names: Iterable[str]) -> bool:
    """Whether each of them is, and none waits to be or has failed."""
    found = fates(served)
    return all(found.get(name) == "indexed" for name in names)


def fates(served: ServedProcess) -> dict[str, str]:
    """What has become of each file, by its path."""
    listed = served.get("/documents")
    assert all(failure["reason"].strip() for failure in listed["failures"])
    return {
        **dict.fromkeys(listed["pending"], "pending"),
        **{document["source"]: "indexed" for document in listed["documents"]},
        **{failure["source"]: f"failed: {failure['reason']}" for failure in listed["failures"]},
    }


def unexplained(served: ServedProcess, made: Sequence[Hurtful]) -> list[str]:
    """Names of those that are listed and must not be, or must be and are not."""
    found = fates(served)
    return [file.name for file in made if file.is_listed and file.name not in found] + [
        file.name
        for file in made
        if not file.is_listed and found.get(file.name) == "indexed" and file.name != "vanishing.md"
    ]


def slowness() -> float:
    """By how much other programs stretch all times: work that waits, for each processor, and 1 where none has to."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def tell(name: str, seen: Observed, found: dict[str, str]) -> None:
    print(f"\n{name}", *seen.lines(), *(f"{fate[:100]:100} {name!r}" for name, fate in sorted(found.items())), sep="\n")


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("chosen", "parse_seconds"), [pytest.param((), 15, id="all"), pytest.param(LARGE, 60, id="large")]
)
def test_questions_are_answered_while_files_made_to_hurt_are_indexed(
    folder: Path,
    tmp_path: Path,
    scaled: Callable[[int, int], int],
    request: pytest.FixtureRequest,
    chosen: Sequence[str],
    parse_seconds: int,
) -> None:
    is_full = request.config.getoption("full")
    if chosen and not is_full:
        pytest.skip("takes a minute; --full runs it")
    environment = {"KB_HOME": str(tmp_path / "home"), "KB_MODEL": "smollm2-135m-instruct", "KB_MIN_EVIDENCE": "0"}
    environment |= {"KB_ANSWER_TOKENS": "16", "KB_PARSE_SECONDS": str(parse_seconds), "KB_CONTEXT_TOKENS": "2048"}
    made_apart, log = tmp_path / "made", tmp_path / "log"
    made_apart.mkdir()
    made = make(made_apart)
    assert len(made) > 60
    made = [file for file in made if not chosen or file.name in chosen]
    slow = slowness()
    for name, (_, text) in ORDINARY.items():
        (folder / name).write_text(text)
    with serving_process(folder, environment, log) as served:
        assert eventually(lambda: are_all_indexed(served, ORDINARY) and served.get("/status")["ready"], 60)
        with observing(served, Asking()) as seen, restless(folder) as restless_files:
            for path in made_apart.iterdir():
                if not chosen or path.name in chosen:
                    path.rename(folder / path.name)
            time.sleep(scaled(30, 600))
            for name, text in LATE.items():
                (folder / name).write_text(text)
            began = time.monotonic()
            are_indexed = eventually(lambda: are_all_indexed(served, LATE), 90)
            late_seconds = time.monotonic() - began
            found, strange = fates(served), unexplained(served, [*made, *restless_files])
        ended_seconds = served.stop()
    tell(
        f"late files {late_seconds:.1f} s ({are_indexed}), ended in {ended_seconds:.1f} s, slow {slow:.1f}", seen, found
    )
    print(log.read_text(errors="replace"))
    with serving_process(folder, environment, tmp_path / "log again") as served:
        with observing(served, Asking()) as seen_again:
            has_asked = eventually(lambda: len(seen_again.seconds["/search"]) > 50, 60)
            are_same = has_asked and eventually(lambda: not lost(found, fates(served)), 30)
            lost_again = lost(found, fates(served))
            strange_again = unexplained(served, made)
        ended_again_seconds = served.stop()
    tell(f"again: {are_same}, ended in {ended_again_seconds:.1f} s", seen_again, {})
    print((tmp_path / "log again").read_text(errors="replace"))
    assert (strange, strange_again, lost_again) == ([], [], {})
    assert (seen.wrong, seen_again.wrong) == ([], [])
    assert "Traceback" not in log.read_text(errors="replace")
    assert are_indexed
    if not is_full:
        return  # how long it all takes is told, but bars are for a machine that has nothing else to do
    assert max(*seen.seconds["/status"], *seen_again.seconds["/status"]) <= STATUS_SECONDS * slow
    assert late_seconds <= LATE_SECONDS * slow
    assert max(ended_seconds, ended_again_seconds) <= END_SECONDS * slow
    assert max(seen.peak_bytes, seen_again.peak_bytes) <= PEAK_BYTES


def lost(before: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """What was indexed or failed and is so no more; what changes all the time aside."""
    still = {
        name: fate.partition(":")[0] for name, fate in before.items() if name not in ("vanishing.md", "appended.txt")
    }
    return {
        name: f"{fate}, now {now.get(name)}"
        for name, fate in still.items()
        if now.get(name, "").partition(":")[0]
        not in ((fate,) if fate == "indexed" else ("indexed", "failed", "pending"))
    }
