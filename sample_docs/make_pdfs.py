"""Makes the PDFs of this folder from the texts in `pdf_sources/`.

The documents here are a small library to try r1-kb on: the papers of an observatory, its rover and the tea cooperative
below it, in English and in Chinese. The place, the people and every number are invented, so a right answer about them
can only have been read here. The texts are written for this project and under its licence.

Run it after changing a text, from anywhere:

    python sample_docs/make_pdfs.py

It needs fpdf2 (in the `dev` extra) and, for the Chinese texts, the font LXGW WenKai, which is not in the repository.
On Debian and Ubuntu: `apt-get install fonts-lxgw-wenkai`; elsewhere: any folder that holds the two `WENKAI_FILES`,
given as `--fonts DIR`. The font is under the SIL Open Font License 1.1, so a document may embed a subset of it and stay
under its own terms. Another font will do if its outlines are TrueType: with those of OpenType, fpdf2 2.8 writes a text
layer that pypdf cannot read.

A source is a TOML file: facts about the document, and a body of blocks with an empty line between them. A block is a
`#` heading, which is also an entry of the outline, a `-` or `1.` list, a `|` table, or one paragraph. With the same
versions of fpdf2 and of the fonts, a run writes the same bytes again.
"""

import argparse
import datetime
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace

HERE = Path(__file__).parent
SOURCES = HERE / "pdf_sources"
FONT_FOLDER = Path("/usr/share/fonts/truetype/lxgw-wenkai")
WENKAI_FILES = {"": "LXGWWenKai-Regular.ttf", "B": "LXGWWenKai-Bold.ttf"}

PAPER_MM = {"A4": (210.0, 297.0), "A5": (148.0, 210.0)}
MARGIN_MM = 18.0
INDENT_MM = 6.0
LINE_FACTOR = 0.6
"""Millimetres of line height for one point of type: 1.7 times the type size, which suits Han characters."""

LIST_ITEM = re.compile(r"(-|\d+\.) (.*)")
PIECE = re.compile(
    r"[“‘（《「]*"  # an opening mark never ends a line
    r"(?:[!-~\u00a1-\u024f–−]+|\S)"  # words and numbers stay whole; a line may end after any Han character
    r"[，。、；：？！”’）》」…—]*"  # a closing mark never begins a line
    r"\s*"
)


@dataclass(frozen=True, slots=True)
class Source:
    """One document to print: the keys of its TOML file.

    Attributes:
        byline: Printed under the title.
        date: Creation date of the PDF.
        typeface: `wenkai` for Chinese; the other two are in every PDF reader, and know Latin-1 only.
        size: Type size of paragraphs, in points.
        footer: Printed on every page; `{page}` is its number and `{pages}` how many there are.
    """

    title: str
    author: str
    byline: str
    date: datetime.date
    language: str
    typeface: Literal["helvetica", "times", "wenkai"]
    paper: Literal["A4", "A5"]
    size: float
    footer: str
    body: str


class Booklet(FPDF):
    """A document with the title in the head of each page, and the page's number at its foot."""

    def __init__(self, source: Source, fonts: Path) -> None:
        super().__init__(format=PAPER_MM[source.paper])
        self.source = source
        if source.typeface == "wenkai":
            for style, name in WENKAI_FILES.items():
                self.add_font("wenkai", style, fonts / name)
        self.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, margin=MARGIN_MM + 4)
        self.set_title(source.title)
        self.set_author(source.author)
        self.set_lang(source.language)
        self.set_creation_date(datetime.datetime.combine(source.date, datetime.time(9), datetime.UTC))
        self.alias_nb_pages("{pages}")

    def header(self) -> None:
        """Prints the running title; fpdf2 calls it at the start of each page."""
        self.set_font(self.source.typeface, size=8)
        self.set_text_color(110)
        self.set_y(9)
        self.cell(text=self.source.title)
        self.set_text_color(0)
        self.set_xy(MARGIN_MM, MARGIN_MM)

    def footer(self) -> None:
        """Prints the page's number; fpdf2 calls it at the end of each page."""
        self.set_font(self.source.typeface, size=8)
        self.set_text_color(110)
        self.set_y(-14)
        self.cell(w=0, text=self.source.footer.replace("{page}", str(self.page_no())), align="C")
        self.set_text_color(0)

    def print_source(self) -> None:
        """Prints the title and every block."""
        source = self.source
        self.add_page()
        self._print_lines(source.title, size=source.size + 8, style="B")
        self._print_lines(source.byline, size=source.size - 1)
        for block in re.split(r"\n{2,}", source.body.strip()):
            if block.startswith("#"):
                self._print_heading(block)
            elif block.startswith("|"):
                self._print_table(block.splitlines())
            elif LIST_ITEM.match(block):
                for item in block.splitlines():
                    self._print_item(item)
                self.ln(2)
            else:
                self._print_lines(block, size=source.size)
                self.ln(2)

    def _print_heading(self, block: str) -> None:
        marks, title = block.split(" ", 1)
        size = self.source.size + (4 if marks == "#" else 1.5)
        self.ln(3)
        if self.will_page_break(size * LINE_FACTOR + 3 * self.source.size * LINE_FACTOR):
            self.add_page()
        self.start_section(title, level=len(marks) - 1)
        self._print_lines(title, size=size, style="B")
        self.ln(1)

    def _print_item(self, item: str) -> None:
        match = LIST_ITEM.fullmatch(item)
        if match is None:
            raise ValueError(f"not a list item: {item!r}")
        marker, text = match.groups()
        self.set_font(self.source.typeface, size=self.source.size)
        if self.will_page_break(self.source.size * LINE_FACTOR):
            self.add_page()
        self.cell(w=INDENT_MM, h=self.source.size * LINE_FACTOR, text="·" if marker == "-" else marker)
        self._print_lines(text, size=self.source.size, indent=INDENT_MM)

    def _print_table(self, lines: list[str]) -> None:
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        self.set_font(self.source.typeface, size=self.source.size - 1)
        with self.table(
            rows,
            text_align="LEFT",
            line_height=self.source.size * LINE_FACTOR,
            headings_style=FontFace(emphasis="BOLD"),
            borders_layout="HORIZONTAL_LINES",
        ):
            pass
        self.ln(3)

    def _print_lines(self, text: str, *, size: float, style: Literal["", "B"] = "", indent: float = 0.0) -> None:
        self.set_font(self.source.typeface, style=style, size=size)
        for line in self._broken(text, self.epw - indent):
            self.set_x(self.l_margin + indent)
            self.cell(h=size * LINE_FACTOR, text=line, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _broken(self, text: str, width: float) -> Iterator[str]:
        line = ""
        for match in PIECE.finditer(text):
            if line and self.get_string_width((line + match[0]).rstrip()) > width - 2 * self.c_margin:
                yield line.rstrip()
                line = ""
            line += match[0]
        yield line.rstrip()


def main() -> None:
    """Reads every source and writes the PDF of the same name beside this file."""
    parser = argparse.ArgumentParser(description="Makes the PDFs of sample_docs.")
    parser.add_argument("--fonts", type=Path, default=FONT_FOLDER, help="folder of the LXGW WenKai files")
    fonts = parser.parse_args().fonts
    missing = [name for name in WENKAI_FILES.values() if not (fonts / name).is_file()]
    if missing:
        parser.error(f"{fonts} lacks {', '.join(missing)}; on Debian and Ubuntu: apt-get install fonts-lxgw-wenkai")
    for path in sorted(SOURCES.glob("*.toml")):
        booklet = Booklet(Source(**tomllib.loads(path.read_text("utf-8"))), fonts)
        booklet.print_source()
        target = HERE / f"{path.stem}.pdf"
        booklet.output(str(target))
        print(f"{target.name}: {booklet.page_no()} pages, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
