import io

from rich.console import Console

from server.terminal.tables import figures


def test_figures_stand_to_the_right_and_words_to_the_left() -> None:
    file = io.StringIO()
    rows = [("files [all]", "2", "a"), ("chunks", "1,234", "long words")]
    Console(file=file, width=80).print(figures(("", "now", "way"), rows, words=("", "way")))
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert lines == [
        "               now  way",
        "files [all]      2  a",
        "chunks       1,234  long words",
    ]
