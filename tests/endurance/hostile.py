"""Files that were made to do harm, written in little time and with little memory."""

import itertools
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

_BLOCK_BYTES = 16_000_000
_ADLER_MODULUS = 65521
_DIGITS = (b"zero", b"one", b"two", b"three", b"four", b"five", b"six", b"seven", b"eight", b"nine")


def write_pdf(path: Path, objects: Sequence[bytes]) -> None:
    """Writes a PDF.

    Args:
        objects: With the numbers 1, 2, …; the first is the catalog.
    """
    parts, offsets, position = [b"%PDF-1.7\n"], [], 9
    for number, body in enumerate(objects, start=1):
        offsets.append(position)
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, body))
        position += len(parts[-1])
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table))
    parts.append(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, position))
    path.write_bytes(b"".join(parts))


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(content), entries, content)


def write_long_pdf(path: Path, pages: int) -> None:
    """A PDF with very many pages, and some words on each."""
    first = 4
    kids = b" ".join(b"%d 0 R" % (first + 2 * number) for number in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, pages),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number in range(pages):
        objects.append(_page(b"%d 0 R" % (first + 2 * number + 1)))
        words = b" ".join(
            b"%b%b" % (one, other) for one, other in zip(_digits(number), _digits(number * 7), strict=False)
        )
        objects.append(stream(b"BT /F1 12 Tf 72 700 Td (Page %d tells of %b.) Tj ET" % (number + 1, words)))
    write_pdf(path, objects)


def write_bomb(path: Path, unpacked_bytes: int) -> None:
    """A PDF whose page unpacks, in two steps, to very many zeros."""
    packed = zlib.compress(zeros_packed(unpacked_bytes), 9)
    content = stream(packed, b"/Filter [/FlateDecode /FlateDecode]")
    write_pdf(path, [*_one_page(b"4 0 R"), content])


def zeros_packed(count: int) -> bytes:
    """What zlib makes of `count` zeros, a multiple of 16 million, without packing them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(_BLOCK_BYTES)) + packer.flush(zlib.Z_FULL_FLUSH)  # refers to nothing before it
    end = zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    checksum = (count % _ADLER_MODULUS) << 16 | 1  # RFC 1950, of zeros
    return b"\x78\x9c" + block * (count // _BLOCK_BYTES) + end + struct.pack(">I", checksum)


def write_endless_page_tree(path: Path) -> None:
    """A PDF whose pages are a part of themselves."""
    write_pdf(
        path, [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 /Parent 2 0 R >>"]
    )


def write_endless_forms(path: Path) -> None:
    """A PDF whose page draws a form that draws itself, twice."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 4 0 R >> >>"
    write_pdf(
        path,
        [
            *_one_page(b"5 0 R", b"/XObject << /X 4 0 R >>"),
            stream(b"/X Do /X Do", form),
            stream(b"/X Do"),
        ],
    )


def write_sparse(path: Path, size_bytes: int) -> None:
    """A file of that size that takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(size_bytes)


HOSTILE: dict[str, Callable[[Path], object]] = {
    "endless-pages.pdf": write_endless_page_tree,
    "endless-forms.pdf": write_endless_forms,
    "bomb.pdf": lambda path: write_bomb(path, 2_000_000_000 // _BLOCK_BYTES * _BLOCK_BYTES),
    "sparse.md": lambda path: write_sparse(path, 1_000_000_000),
    "nul.md": lambda path: path.write_bytes(b"# Nul\x00\n\nA dome\x00 with \x00\x00 holes.\n" + bytes(5000)),
    "surrogates.md": lambda path: path.write_bytes(b"# Half\n\nA dome \xed\xa0\x80 and \xed\xb0\x80 alone.\n" * 50),
    "quotes.md": lambda path: path.write_text(">" * 100_000 + " A dome.\n"),
    "brackets.md": lambda path: path.write_text("[" * 100_000 + "A dome." + "]" * 100_000 + "\n"),
    "stars.md": lambda path: path.write_text("*a **b " * 50_000 + "\n"),
    "lists.md": lambda path: path.write_text("".join(f"{'  ' * depth}- A dome.\n" for depth in range(2_000))),
    "links.md": lambda path: path.write_text("[a](" * 50_000 + "\n"),
    "one-line.txt": lambda path: path.write_text("dome" * 1_000_000),
    "front-matter.md": lambda path: path.write_text(
        "---\na: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{two}: &{two} [{', '.join(['*' + one] * 9)}]\n" for one, two in _pairs("abcdefghijk"))
        + "---\n\nA dome.\n"
    ),
}
"""Makes each hostile file at a path of this name."""


def _digits(number: int) -> list[bytes]:
    """A number in words."""
    return [_DIGITS[int(digit)] for digit in f"{number:05}"]


def _page(contents: bytes, resources: bytes = b"/Font << /F1 3 0 R >>") -> bytes:
    return b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %b /Resources << %b >> >>" % (
        contents,
        resources,
    )


def _one_page(contents: bytes, resources: bytes = b"") -> list[bytes]:
    return [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        _page(contents, resources),
    ]


def _pairs(names: str) -> Iterator[tuple[str, str]]:
    return itertools.pairwise(names)
