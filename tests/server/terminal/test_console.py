import io
import logging

from rich.console import Console
from rich.table import Table

from server.terminal.console import LogFormatter, err, log_handler

HOSTILE = "a\x1b[2J\x9b1A\u202eb\nerror: forged.md"


def entry(error: Exception | None = None) -> str:
    info = (type(error), error, None) if error else None
    record = logging.LogRecord("ingest", logging.WARNING, "", 0, "%s: %s", (HOSTILE, "broken\n"), info)
    return LogFormatter("%(message)s").format(record)


def test_entry_of_the_log_is_one_line_whatever_the_names_in_it() -> None:
    assert entry() == "ab error: forged.md: broken"


def test_traceback_in_the_log_keeps_its_lines_and_is_harmless() -> None:
    written = entry(ValueError("\x1b[31mred"))
    assert written.split("\n") == ["ab error: forged.md: broken", "ValueError: red"]


def test_log_that_goes_into_a_file_has_one_line_for_each_entry_however_long() -> None:
    file = io.StringIO()
    long = "indexing " + "many " * 40 + "files"
    log_handler(Console(file=file, width=80)).emit(logging.LogRecord("ingest", logging.INFO, "", 0, long, (), None))
    assert file.getvalue().endswith(f"INFO     {long}\n")
    assert file.getvalue().count("\n") == 1


def test_whatever_is_printed_is_harmless_and_keeps_its_style() -> None:
    table = Table("name")
    table.add_row(HOSTILE)
    with err.capture() as captured:
        err.print(table)
        err.print(HOSTILE, style="bold", markup=False)
    assert not {"\x9b", "\u202e"} & set(captured.get())
    assert "\x1b[2J" not in captured.get()
