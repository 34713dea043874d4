from pathlib import Path

import pytest

from server.measure.bench.ocr_pages import Condition, rendered, right_characters


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("The boiler", 1.0),
        ("Theboiler", 1.0),
        ("The bo1ler", 8 / 9),
        ("The boilers!", 7 / 9),
        ("", 0.0),
        ("boiler", 6 / 9),
    ],
)
def test_right_characters_are_counted_by_edit_distance_white_space_aside(read: str, right: float) -> None:
    assert right_characters("The boiler", read) == pytest.approx(right)


@pytest.fixture
def font(tmp_path: Path) -> Path:
    from PIL import ImageFont

    path = tmp_path / "font.ttf"
    face = ImageFont.load_default(20)
    path.write_bytes(face.font_bytes)
    return path


def test_a_page_says_as_much_of_the_text_as_fits(font: Path) -> None:
    text = "The boiler was repaired in November by Frieda. " * 400
    page, said = rendered(text, font, Condition(50), 0)
    assert page.size == (414, 584)
    assert text.startswith(said.replace("\n", " ")[:300])
    assert 30 < said.count("\n") < 60


def test_noise_is_the_same_each_time_and_a_skewed_page_keeps_its_size(font: Path) -> None:
    askew = Condition(50, 2.0, is_noisy=True)
    one, other = (rendered("The boiler", font, askew, 3)[0] for _ in range(2))
    assert one.tobytes() == other.tobytes() != rendered("The boiler", font, askew, 4)[0].tobytes()
    assert one.size == rendered("The boiler", font, Condition(50), 3)[0].size
