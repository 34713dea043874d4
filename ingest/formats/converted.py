"""Documents of what was converted to Markdown: pages, slides, sheets or chapters, one text after the other.

Pure. The Markdown is the document's text; every offset counts its characters.
"""

import datetime
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePath

from ingest.formats.encoding import clean, normalise_line_ends
from ingest.formats.markdown_blocks import MarkdownBlocks
from ingest.formats.titles import sensible_title
from kb.errors import UnreadableFile
from kb.values.documents import Block, Document

_SEPARATOR = "\n\n"


def converted(
    name: str,
    media_type: str,
    parts: Sequence[str],
    *,
    title: str = "",
    date: datetime.date | None = None,
    names: Sequence[str] = (),
    are_pages: bool = False,
    heading_is_title: bool = True,
    pictured: Collection[int] = (),
) -> Document:
    """Makes a document of Markdown.

    Args:
        name: Of the file.
        parts: Each begins anew with its headings.
        title: What the file says of itself.
        names: What else it is called, and who wrote it.
        are_pages: Whether the parts are numbered as pages, as slides are.
        pictured: Numbers of the pages that show more than their text.
        heading_is_title: Whether the first heading of level 1 is the title of a document that says none.

    Raises:
        UnreadableFile: There is no text in it.
    """
    texts = [normalise_line_ends(clean(part)).strip() for part in parts]
    if not any(map(str.isalnum, "".join(texts))):
        raise UnreadableFile("there is no text in it", "open it where it was made, and look whether it shows any")
    readers = [MarkdownBlocks(text, is_note=False) for text in texts]
    blocks = tuple(_blocks(texts, readers, are_pages))
    own_title = sensible_title(clean(title))
    if heading_is_title and not own_title:
        own_title = next((reader.title for reader in readers if reader.title), "")
    return Document(
        title=own_title or clean(PurePath(name).stem),
        media_type=media_type,
        text=_SEPARATOR.join(texts),
        blocks=blocks,
        has_own_title=bool(own_title),
        date=date,
        page_count=len(texts) if are_pages else None,
        unread_pages=tuple(page for page in sorted(pictured) if not any(map(str.isalnum, texts[page - 1]))),
        names=tuple(dict.fromkeys(written for each in names if (written := " ".join(clean(each).split())))),
    )


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Writes rows as a table; the first is its header. White space becomes spaces, and a bar in a cell a broken one.

    Returns:
        Nothing where all cells are empty.
    """
    if not any(cell.strip() for row in rows for cell in row):
        return ""
    width = max(map(len, rows), default=0)
    lines = [_row([*row, *[""] * (width - len(row))]) for row in rows]
    return "\n".join([*lines[:1], _row(["---"] * width), *lines[1:]])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', '¦') for cell in cells)} |"


def _blocks(texts: Sequence[str], readers: Sequence[MarkdownBlocks], are_pages: bool) -> Iterator[Block]:
    offset = 0
    for number, (text, reader) in enumerate(zip(texts, readers, strict=True), start=1):
        page = number if are_pages else None
        for block in reader.blocks():
            yield Block(block.start + offset, block.end + offset, block.kind, block.headings, page)
        offset += len(text) + len(_SEPARATOR)
