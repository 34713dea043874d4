"""Web pages, and the Markdown that HTML becomes wherever other formats are made of it.

Scripts, styles and forms go, and so do menus where a page says that they are. Links and pictures leave their words.
"""

from typing import TYPE_CHECKING

from ingest.formats.converted import converted
from ingest.formats.encoding import decode
from ingest.formats.showing import Shown
from kb.errors import UnreadableFile
from kb.values.documents import Document

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

_NO_TEXT = ("head", "script", "style", "noscript", "template", "svg", "button", "input", "select", "iframe", "nav")

_BLOCKS = ("p", "pre", "ul", "ol", "table", "div", "dl")


class HtmlLoader:
    """Reads HTML."""

    media_type = "text/html"
    extensions = (".html", ".htm", ".xhtml")
    shown = Shown.AS_TEXT
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads a web page; its title is that of its head.

        Raises:
            UnreadableFile: It is empty or not text.
        """
        if not data.strip():
            raise UnreadableFile("the file is empty")
        soup = _parsed(decode(data), is_well_formed=False)
        title = soup.title.get_text() if soup.title else ""
        author = soup.find("meta", attrs={"name": "author"})
        names = [str(author.get("content", ""))] if author else []
        return converted(name, self.media_type, [_markdown(soup)], title=title, names=names)


def html_to_markdown(html: str, *, is_well_formed: bool = False) -> str:
    """Writes what HTML shows as Markdown.

    Args:
        is_well_formed: Whether each element is closed, so that a parser which is ten times as fast is enough.
    """
    return _markdown(_parsed(html, is_well_formed))


def _parsed(html: str, is_well_formed: bool) -> "BeautifulSoup":
    from bs4 import BeautifulSoup

    return BeautifulSoup(html, "html.parser" if is_well_formed else "html5lib")


def _markdown(soup: "BeautifulSoup") -> str:
    from bs4 import ProcessingInstruction
    from markdownify import MarkdownConverter

    for element in soup.find_all(_NO_TEXT):
        element.decompose()
    for declaration in soup.find_all(string=lambda text: isinstance(text, ProcessingInstruction)):
        declaration.extract()
    for definition in soup.find_all("dd"):
        if len(definition.find_all(_BLOCKS, recursive=False)) > 1:
            definition.name = "div"  # else its paragraphs are indented, as code is in Markdown
    converter = MarkdownConverter(
        heading_style="ATX",
        bullets="-",
        strip=["a", "img", "title"],
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
        table_infer_header=True,
        strong_em_symbol="*",
    )
    return str(converter.convert_soup(soup))
