"""Pictures of text, drawn by the tests with the font that Pillow brings, and PDF pages that show nothing else."""

from io import BytesIO

from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFont

SIZE = (900, 220)


def drawn(text: str, image_format: str = "PNG", *, angle: float = 0.0) -> bytes:
    """A picture of one or two lines of text."""
    content = BytesIO()
    _drawn(text, angle).save(content, image_format)
    return content.getvalue()


def drawn_pages(*texts: str) -> bytes:
    """A TIFF of several pages."""
    content = BytesIO()
    first, *others = [_drawn(text, 0.0) for text in texts]
    first.save(content, "TIFF", save_all=True, append_images=others)
    return content.getvalue()


def scanned_pdf(*pages: str) -> bytes:
    """A PDF in which pages that begin with `scan:` are pictures of their text."""
    pdf = FPDF(format=(180, 44))
    pdf.set_font("Helvetica", size=11)
    pdf.set_auto_page_break(False)
    for page in pages:
        pdf.add_page()
        kind, _, text = page.partition("scan:")
        if text:
            pdf.image(BytesIO(drawn(text)), 0, 0, 180, 44)
        else:
            pdf.multi_cell(0, 6, kind)
    return bytes(pdf.output())


def _drawn(text: str, angle: float) -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(image).multiline_text((40, 40), text, "black", ImageFont.load_default(36), spacing=24)
    return image.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor="white") if angle else image
