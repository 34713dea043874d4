"""E-books: the chapters in the order in which the book has them.

Lost are pictures, and the page numbers of a printed edition.
"""

import posixpath
import urllib.parse

from ingest.formats.converted import converted
from ingest.formats.encoding import decode
from ingest.formats.html import html_to_markdown
from ingest.formats.packages import Package, opened
from ingest.formats.showing import Shown
from kb.errors import UnreadableFile
from kb.values.documents import Document

_CONTAINER = "META-INF/container.xml"
_OPEN_FONTS_ONLY = (b"http://www.idpf.org/2008/embedding", b"http://ns.adobe.com/pdf/enc#RC")


class EpubLoader:
    """Reads EPUB."""

    media_type = "application/epub+zip"
    extensions = (".epub",)
    shown = Shown.AS_DOWNLOAD
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads an e-book.

        Raises:
            UnreadableFile: It is empty, locked, broken, or has no text.
        """
        with opened(data) as package:
            _require_open(package)
            book = next(each for each in package.xml(_CONTAINER).iter() if each.tag.endswith("}rootfile"))
            path = book.attrib["full-path"]
            title, author, date = package.core(path)
            pages = [decode(package.read(chapter)) for chapter in _chapters(package, path)]
            chapters = [html_to_markdown(page, is_well_formed=True) for page in pages]
        return converted(name, self.media_type, chapters, title=title, date=date, names=[author])


def _chapters(package: Package, path: str) -> list[str]:
    tree = package.xml(path)
    items = {each.attrib["id"]: each.attrib["href"] for each in tree.iter() if each.tag.endswith("}item")}
    spine = [each.attrib["idref"] for each in tree.iter() if each.tag.endswith("}itemref")]
    folder = posixpath.dirname(path)
    paths = [posixpath.normpath(posixpath.join(folder, urllib.parse.unquote(items[each]))) for each in spine]
    return [path for path in paths if path in package.names]


def _require_open(package: Package) -> None:
    locks = "META-INF/encryption.xml"
    if locks in package.names and package.read(locks).count(b"EncryptionMethod") > sum(
        package.read(locks).count(each) for each in _OPEN_FONTS_ONLY
    ):
        raise UnreadableFile("locked: its seller lets only certain programs open it", "use a copy without that lock")
