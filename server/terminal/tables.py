"""Tables of figures: words stand to the left, figures to the right, and nothing is wrapped."""

from collections.abc import Collection, Iterable, Sequence

from rich.markup import escape
from rich.table import Table


def figures(header: Sequence[str], rows: Iterable[Sequence[str]], words: Collection[str] = ("",)) -> Table:
    """Makes a table of what was measured.

    Args:
        header: Names of the columns.
        rows: Cells as they are to be read; as many as there are columns.
        words: Names of the columns that hold words.
    """
    table = Table(box=None, pad_edge=False)
    for name in header:
        table.add_column(escape(name), justify="left" if name in words else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(escape, row))
    return table
