import sys
from base64 import b85decode
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from ingest.formats import image
from ingest.formats.image import ImagePages
from ingest.formats.registry import load, open_pages, view
from ingest.formats.showing import View
from kb.errors import UnreadableFile
from tests.ingest.pictures import SIZE, drawn, drawn_pages

# White with a black square, 64 × 32.
HEIC = b85decode(
    "0000SW^{RQXk}?*00000ZE0pPXk}?*ZE0a<0004fZDn*}000000000XXk=`10000000000aA{+700000000000000000000B57=IV*mgE07O6l0RRC2"
    "00001p#T8@000000012T001LtX>Mi!000000RR916=`l}WdZ;I000310BCk&F#rGn01j|zbZr0t000010002}X>f9I0002pX>en20001XXm(>m0RwOV"
    "0058x000009`FGC{rLC*01pFT0096PKmiN^|NjGU00093kN^M!000939=ZZRVE_RDDnbDP18@KU0|1Z!00RI30{|YNAb|yz>g1-mxCm%4AOHXZ10VnZ"
    "0{|gn00967L;=Bbz=;3=025<xY;ta6Y<K_x01W^JfB*mh6lrsCWdHyG00000KmY&$KmY&$C}V74Z~y=RKmY&$0RR91AOHXW0RR91000000{{R2-~a#s"
    "0ssI25O8UDX#fBK00RgJ2mk;87-?{AVE_OC000000RRC7fdT^sga7~lC2eG3bN~PV87Kj-3t;-)2t{S%{^Y9<2NH-0`rtV6N>B"
)


def seen(data: bytes, page: int = 1, width: int = 100) -> Image.Image:
    return Image.open(BytesIO(ImagePages(data).picture(page, width)))


@pytest.mark.parametrize(("name", "image_format"), [("a.png", "PNG"), ("a.JPG", "JPEG"), ("a.webp", "WEBP")])
def test_the_text_of_an_image_is_what_was_read_in_it(name: str, image_format: str) -> None:
    data = drawn("Boiler", image_format)
    waiting, read = load(name, data, {}), load(name, data, {1: "Boiler"})
    assert (waiting.text, waiting.unread_pages, waiting.ocr_pages, waiting.page_count) == ("", (1,), (), 1)
    assert (read.text, read.unread_pages, read.ocr_pages) == ("Boiler", (), (1,))
    assert [(block.start, block.end, block.page) for block in read.blocks] == [(0, 6, 1)]
    assert view(Path(name)) is View.PAGES
    assert open_pages(name, data).glyphs(1).text == ""
    assert seen(data, width=SIZE[0]).size == SIZE


def test_a_tiff_has_pages() -> None:
    data = drawn_pages("One", "Two", "Three")
    read = load("a.tiff", data, {1: "One", 2: "", 3: "Three"})
    assert (read.page_count, read.ocr_pages, read.text) == (3, (1, 2, 3), "One\n\n\n\nThree")
    assert [block.page for block in read.blocks] == [1, 3]
    pages = ImagePages(data)
    assert pages.sizes() == [(SIZE[0] * 36, SIZE[1] * 36)] * 3
    assert seen(data, 2, SIZE[0]).tobytes() != seen(data, 3, SIZE[0]).tobytes()
    with pytest.raises(UnreadableFile, match="no page 4"):
        pages.picture(4, 100)


def test_what_is_transparent_is_white_and_a_photograph_is_turned_as_it_was_taken() -> None:
    clear, sideways = BytesIO(), BytesIO()
    Image.new("RGBA", (20, 10), (0, 0, 0, 0)).save(clear, "PNG")
    orientation = Image.Exif()
    orientation[0x0112] = 6
    Image.new("RGB", (20, 10), "white").save(sideways, "JPEG", exif=orientation)
    assert seen(clear.getvalue(), width=20).getextrema() == ((255, 255),) * 3
    assert seen(sideways.getvalue(), width=10).size == (10, 20)
    assert ImagePages(sideways.getvalue()).sizes() == [(360, 720)]


@pytest.mark.parametrize("data", [b"", b"no picture", drawn("cut off")[:200]])
def test_a_broken_image_is_a_failure_with_a_reason(data: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"empty|broken"):
        load("a.png", data, {})
        ImagePages(data).picture(1, 100)


def test_an_image_that_is_too_large_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "_MAX_PIXELS", 1_000)
    with pytest.raises(UnreadableFile, match="900 × 220 pixels"):
        load("a.png", drawn("large"), {})


def test_without_its_package_a_photograph_of_a_telephone_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(UnreadableFile, match="not installed") as raised:
        load("a.HEIC", HEIC, {})
    assert "r1-kb[heic]" in raised.value.hint


def test_a_photograph_of_a_telephone_is_opened() -> None:
    assert load("a.HEIC", HEIC, {1: "Boiler"}).media_type == "image/heic"
    shown = seen(HEIC, width=64).convert("L")
    assert shown.size == (64, 32)
    assert shown.crop((10, 10, 22, 22)).getextrema()[1] < 60 < 200 < shown.crop((40, 4, 60, 28)).getextrema()[0]
