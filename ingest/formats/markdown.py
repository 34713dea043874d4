"""Markdown and plain text files: where their sections and blocks are.

The parser is used for structure alone: the document's text is the decoded file (line ends made `\\n`), so that a quote
is what stands in the file. Rules, comments, marks of blocks, and what the front matter says of the title, tags, date
and names, are part of the text and of no block.
"""

from collections.abc import Sequence
from itertools import starmap
from pathlib import PurePath

from ingest.formats import obsidian
from ingest.formats.encoding import clean, decode
from ingest.formats.front_matter import read_front_matter
from ingest.formats.layout import paragraph_spans
from ingest.formats.markdown_blocks import MarkdownBlocks
from ingest.formats.markdown_links import links
from ingest.formats.showing import Shown
from kb.errors import UnreadableFile
from kb.values.documents import Block, Document


class MarkdownLoader:
    """Reads CommonMark with tables and front matter."""

    media_type = "text/markdown"
    extensions = (".md", ".markdown")
    shown = Shown.AS_TEXT
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads a Markdown file.

        The title is that of the front matter, or the first heading of level 1, or the file's name.

        Raises:
            UnreadableFile: It is empty or not text.
        """
        text = file_text(data)
        front_matter = read_front_matter(text)
        reader = MarkdownBlocks(text, front_matter.end)
        blocks = (*starmap(Block, front_matter.properties), *reader.blocks())
        in_text = obsidian.tags(text, front_matter.end, reader.is_code)
        own_title = front_matter.title or reader.title
        return Document(
            title=own_title or clean(PurePath(name).stem),
            media_type=self.media_type,
            text=text,
            blocks=blocks,
            has_own_title=bool(own_title),
            tags=_each_once([*front_matter.tags, *in_text]),
            date=front_matter.date,
            names=front_matter.names,
            aliases=front_matter.aliases,
            links=links(text, reader.is_code, reader.comments),
        )


class PlainTextLoader:
    """Reads text without markup; its blocks are the paragraphs between blank lines."""

    media_type = "text/plain"
    extensions = (".txt", ".text")
    shown = Shown.AS_TEXT
    is_markdown = False

    def load(self, name: str, data: bytes) -> Document:
        """Reads a text file.

        Raises:
            UnreadableFile: It is empty or not text.
        """
        text = file_text(data)
        return Document(
            title=clean(PurePath(name).stem),
            media_type=self.media_type,
            text=text,
            blocks=tuple(Block(start, end) for start, end in paragraph_spans(text, 0, len(text))),
        )


def _each_once(tags: Sequence[str]) -> tuple[str, ...]:
    written = {tag.casefold(): tag for tag in reversed(tags)}
    return tuple(written[key] for key in dict.fromkeys(map(str.casefold, tags)))


def file_text(data: bytes) -> str:
    """Decodes a text file.

    Raises:
        UnreadableFile: It is empty or not text.
    """
    text = decode(data)
    if not text.strip():
        raise UnreadableFile("the file is empty")
    return text
