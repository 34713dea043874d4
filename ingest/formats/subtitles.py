"""Subtitles: what is said, with the time at which a paragraph of it begins. Lost are the times of single lines."""

import re
from collections.abc import Iterator

from ingest.formats.converted import converted
from ingest.formats.markdown import file_text
from ingest.formats.showing import Shown
from kb.errors import UnreadableFile
from kb.values.documents import Document

_TIME = re.compile(r"(?P<start>(?:\d+:)?\d{1,2}:\d{2})[.,]\d+ *--> *(?:\d+:)?\d{1,2}:\d{2}[.,]\d+.*")
_TAG = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")
_PARAGRAPH_CHARS = 400


class SubtitleLoader:
    """Reads SRT and WebVTT."""

    media_type = "text/vtt"
    extensions = (".srt", ".vtt")
    shown = Shown.AS_TEXT
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads subtitles.

        Raises:
            UnreadableFile: It is empty, not text, or has no times.
        """
        paragraphs = list(_paragraphs(file_text(data)))
        if not paragraphs:
            raise UnreadableFile("no subtitles: no line has a time", "give it the extension that fits its content")
        return converted(name, self.media_type, ["\n\n".join(paragraphs)], heading_is_title=False)


def _paragraphs(text: str) -> Iterator[str]:
    start, said = "", ""
    for begins, line in _cues(text):
        if len(said) + len(line) > _PARAGRAPH_CHARS and said:
            yield f"[{start}] {said}"
            said = ""
        start = start if said else begins
        said = f"{said} {line}".strip()
    if said:
        yield f"[{start}] {said}"


def _cues(text: str) -> Iterator[tuple[str, str]]:
    times = list(_TIME.finditer(text))
    ends = [*(time.start() for time in times[1:]), len(text)]
    for time, end in zip(times, ends, strict=False):
        lines = text[time.end() : end].strip().split("\n\n")[0].split("\n")
        if line := " ".join(_TAG.sub("", " ".join(lines)).split()):
            yield time["start"], line
