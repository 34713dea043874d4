"""Bytes to text: finds the encoding of a text file, or says that it is not text.

Pure. Knows no file and no markup. What it returns has `\\n` line ends and can always be written as UTF-8.
"""

import codecs
import re
from collections.abc import Callable

from kb.errors import UnreadableFile

_MAGIC = {
    b"%PDF-": "a PDF",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"\x1f\x8b": "compressed data",
    b"\xd0\xcf\x11\xe0": "an old office document",
    b"\x7fELF": "a program",
}
_BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark starts with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 65_536
_MAX_CONTROL_SHARE = 0.01
_MAX_BROKEN_SHARE = 0.05
_MIN_USUAL_SHARE = 0.85
_MAX_ACCENTED_SHARE = 0.5  # one short German word comes near it; Cyrillic read as Latin-1 is far above

_CONTROL = re.compile("[\x00-\x07\x0e-\x1a\x1c-\x1f]")
_CONTROL_BYTE = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_EAST_ASIAN_MARK = re.compile("[\u3000-\u3003\u3008-\u3011\u2014\u2018-\u201d\u2026\u00b7\uff01-\uff5e]")
_KANA = re.compile("[\u3040-\u30ff]")
_ALPHABETIC = re.compile("[\\s\x20-\x7e\xa0-\u024f\u0370-\u04ff\u2000-\u206f]")  # Latin, Greek, Cyrillic
_LATIN_1_LETTER = re.compile("[À-ÖØ-öø-ÿŒœŠšŽžŸ]")


def decode(data: bytes) -> str:
    """Decodes the bytes of a text file.

    A byte order mark decides; then valid UTF-8 is UTF-8; then, among the encodings of East Asia, the one in which the
    most characters are usual ones; then Latin-1 as Windows extends it; then what `charset_normalizer` finds.

    Raises:
        UnreadableFile: The bytes are not text, or in no encoding that is known.
    """
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            raise UnreadableFile(f"not text: the file is {kind}", "give it the extension that belongs to its content")
    return normalise_line_ends(clean(_decode(data)))


def clean(text: str) -> str:
    """Removes NUL characters, joins surrogate pairs and replaces lone surrogates by U+FFFD."""
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "")


def normalise_line_ends(text: str) -> str:
    """Makes every line end `\\n`."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _with_few_controls(data[len(mark) :].decode(encoding, "replace"))
    if (text := _utf16_without_mark(data)) is not None:
        return text
    if (text := _utf8(data)) is not None:
        return _with_few_controls(text)
    if _share(len(_CONTROL_BYTE.findall(data[:_SAMPLE_BYTES])), len(data[:_SAMPLE_BYTES])) > _MAX_CONTROL_SHARE:
        raise _not_text()
    return _east_asian(data) or _western(data) or _any_other(data)


def _utf8(data: bytes) -> str | None:
    """One broken character in a long text does not make it another encoding."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    foreign = sum(not char.isascii() for char in text)
    return text if _share(text.count("\ufffd"), foreign) <= _MAX_BROKEN_SHARE else None


def _with_few_controls(text: str) -> str:
    sample = text[:_SAMPLE_BYTES]
    if _share(len(_CONTROL.findall(sample)), len(sample)) > _MAX_CONTROL_SHARE:
        raise _not_text()
    return text


def _not_text() -> UnreadableFile:
    return UnreadableFile("not text: the file holds binary data", "give it the extension that belongs to its content")


def _share(count: int, total: int) -> float:
    return count / total if total else 0.0


def _utf16_without_mark(data: bytes) -> str | None:
    """Spaces and line ends give it away, by their NUL bytes; then the right byte order is the one that makes sense."""
    if len(data) % 2 or b"\0" not in data:
        return None
    best_share, best_encoding = _MIN_USUAL_SHARE, ""
    for encoding in ("utf-16-le", "utf-16-be"):
        sample = data[:_SAMPLE_BYTES].decode(encoding, "replace")
        share = _share(sum(map(_is_usual_anywhere, sample)), len(sample))
        if share > best_share and not _CONTROL.search(sample):
            best_share, best_encoding = share, encoding
    return data.decode(best_encoding, "replace") if best_encoding else None


def _east_asian(data: bytes) -> str | None:
    best_share, best_encoding = _MIN_USUAL_SHARE, ""
    for encoding, is_usual in _EAST_ASIAN.items():
        sample = data[:_SAMPLE_BYTES].decode(encoding, "replace")
        foreign = [char for char in sample if not char.isascii()]
        share = _share(sum(map(is_usual, foreign)), len(foreign))
        if share > best_share:
            best_share, best_encoding = share, encoding
    return data.decode(best_encoding, "replace") if best_encoding else None


def _has_lead_byte(char: str, encoding: str, first: int, last: int) -> bool:
    encoded = char.encode(encoding, "ignore")
    return len(encoded) == 2 and first <= encoded[0] <= last


def _is_usual_chinese(char: str) -> bool:
    # Level 1 of GB 2312: the 3,755 characters that make up more than 99 % of modern texts.
    return _has_lead_byte(char, "gb2312", 0xB0, 0xD7) or bool(_EAST_ASIAN_MARK.match(char))


def _is_usual_traditional(char: str) -> bool:
    # Level 1 of Big5: the 5,401 frequent characters.
    return _has_lead_byte(char, "big5", 0xA4, 0xC6) or bool(_EAST_ASIAN_MARK.match(char))


def _is_usual_japanese(char: str) -> bool:
    # Kana, and level 1 of JIS X 0208.
    return bool(_KANA.match(char) or _EAST_ASIAN_MARK.match(char)) or _has_lead_byte(char, "euc_jp", 0xB0, 0xCF)


def _is_usual_anywhere(char: str) -> bool:
    return bool(_ALPHABETIC.match(char)) or any(is_usual(char) for is_usual in _EAST_ASIAN.values())


_EAST_ASIAN: dict[str, Callable[[str], bool]] = {
    "gb18030": _is_usual_chinese,
    "big5": _is_usual_traditional,
    "shift_jis": _is_usual_japanese,
    "euc_jp": _is_usual_japanese,
}


def _western(data: bytes) -> str | None:
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    sample = text[:_SAMPLE_BYTES]
    accented = len(_LATIN_1_LETTER.findall(sample))
    letters = sum(char.isalpha() for char in sample)
    return text if _share(accented, letters) <= _MAX_ACCENTED_SHARE else None


def _any_other(data: bytes) -> str:
    from charset_normalizer import from_bytes

    match = from_bytes(data[:_SAMPLE_BYTES]).best()
    if match is None:
        raise _not_text()
    return data.decode(match.encoding, "replace")
