import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ingest.formats.registry import load
from ingest.sandbox.parser import ParserProcess, ParserUnavailable
from kb.errors import UnreadableFile
from kb.values.documents import Document
from tests.harness import eventually

ROOT = Path(__file__).parents[3]
ODD_FILES = ROOT.parent / "shared" / "data" / "nasty-pdfs"
MEMORY_BYTES = 500_000_000
MAX_BYTES = 200_000_000

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and limits are those of POSIX")


@pytest.fixture
def parser() -> Iterator[ParserProcess]:
    with ParserProcess() as parser:
        yield parser


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "笔记.md"
    path.write_text("---\ntags: [a]\n---\n# 标题\n\n正文\n", "utf-8")
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A file whose structure takes far longer to find than any test waits."""
    path = tmp_path / "endless.md"
    path.write_text("a\n" * 3_000_000)
    return path


def parse(parser: ParserProcess, path: Path, seconds: float = 20, memory_bytes: int = MEMORY_BYTES) -> Document:
    return parser.parse(path.parent, path.name, seconds=seconds, memory_bytes=memory_bytes, max_bytes=MAX_BYTES)


def reason(parser: ParserProcess, path: Path, seconds: float = 20, memory_bytes: int = MEMORY_BYTES) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as caught:
        parse(parser, path, seconds, memory_bytes)
    assert caught.value.__cause__ is None
    return caught.value


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if is_ours(child)]


def is_ours(child: psutil.Process) -> bool:
    try:
        return "ingest.sandbox.main" in child.cmdline()
    except psutil.NoSuchProcess:  # or a zombie
        return False


def when_busy(parser: ParserProcess, path: Path) -> tuple[threading.Thread, list[BaseException]]:
    """Parses in a thread and returns once the child works on the file."""
    raised: list[BaseException] = []
    path.with_name("short.md").write_text("text")
    parse(parser, path.with_name("short.md"))
    (child,) = children()
    idle_seconds = child.cpu_times().user

    def run() -> None:
        try:
            parse(parser, path)
        except (UnreadableFile, ParserUnavailable) as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert eventually(lambda: child.cpu_times().user > idle_seconds + 0.1)
    return thread, raised


def test_a_file_is_read_as_in_this_process(parser: ParserProcess, note: Path) -> None:
    assert parse(parser, note) == load(note.name, note.read_bytes())


def test_one_child_reads_many_files(parser: ParserProcess, note: Path) -> None:
    parse(parser, note)
    before = children()
    reason(parser, note.with_name("gone.md"))
    parse(parser, note)
    assert children() == before
    assert len(before) == 1


def test_a_relative_path_is_meant_from_here(parser: ParserProcess, note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parse(parser, note)
    monkeypatch.chdir(note.parent)
    assert parse(parser, Path(note.name)).title == "标题"


def test_a_name_that_is_not_utf8_is_read(parser: ParserProcess, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md"))
    path.write_text("text")
    assert parse(parser, path).text == "text"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.md", b"", "the file is empty"),
        ("a.md", b"\x89PNG\r\n\x1a\n", "not text: the file is a PNG image"),
        ("a.md", None, "the file vanished before it was read"),
        ("a.doc", b"x", "no loader reads .doc"),
    ],
)
def test_a_failure_says_why(
    parser: ParserProcess, tmp_path: Path, name: str, content: bytes | None, expected: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert reason(parser, tmp_path / name).message.startswith(expected)


@pytest.mark.parametrize("swapped", ["link", "pipe", "folder"])
def test_what_took_the_place_of_a_file_is_refused_at_once(parser: ParserProcess, tmp_path: Path, swapped: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.md").write_text("secret")
    match swapped:
        case "link":
            (root / "a.md").symlink_to("../secret.md")
        case "pipe":
            os.mkfifo(root / "a.md")
        case _:
            (root / "a.md").mkdir()
    expected = "leads out of the folder" if swapped == "link" else "not a regular file"
    assert expected in reason(parser, root / "a.md").message


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_forbidden_file_says_so(parser: ParserProcess, note: Path) -> None:
    note.chmod(0)
    assert reason(parser, note).message == "permission denied"


def test_a_file_that_takes_too_long_is_given_up_and_the_next_one_read(
    parser: ParserProcess, endless: Path, note: Path
) -> None:
    parse(parser, note)
    began = time.monotonic()
    assert reason(parser, endless, seconds=0.5).message == "took longer than 0.5 s to read"
    assert time.monotonic() - began < 3
    assert parse(parser, note).title == "标题"


@pytest.mark.skipif(sys.platform != "linux", reason="the platform sets no such limit")
def test_a_file_that_needs_too_much_memory_is_given_up_and_the_next_one_read(
    parser: ParserProcess, endless: Path, note: Path
) -> None:
    assert reason(parser, endless, memory_bytes=30_000_000).message == "needed more memory than 30 MB"
    assert parse(parser, note).title == "标题"


def test_a_text_that_is_too_long_is_refused(note: Path) -> None:
    with ParserProcess(max_text_chars=10) as parser:
        assert reason(parser, note).message == "its text is longer than 10 characters"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (signal.SIGSEGV, "the reader crashed (SIGSEGV)"),
        (signal.SIGKILL, "the reader was killed, probably for want of memory"),
    ],
)
def test_a_crash_is_the_files_failure_and_the_next_one_is_read(
    parser: ParserProcess, endless: Path, note: Path, sent: signal.Signals, expected: str
) -> None:
    thread, raised = when_busy(parser, endless)
    children()[0].send_signal(sent)
    thread.join()
    assert isinstance(raised[0], UnreadableFile)
    assert raised[0].message == expected
    assert parse(parser, note).title == "标题"


def test_a_child_that_dies_between_two_files_is_replaced(parser: ParserProcess, note: Path) -> None:
    parse(parser, note)
    child = children()[0]
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # until the last of its threads is gone; not reaped yet
    assert parse(parser, note).title == "标题"


def test_the_child_is_replaced_after_some_files(note: Path) -> None:
    with ParserProcess(files_per_child=2) as parser:
        seen = set()
        for _ in range(4):
            parse(parser, note)
            seen.update(child.pid for child in children())
        assert len(seen) == 2
        assert len(children()) == 0


def test_closing_ends_a_file_that_is_being_read(parser: ParserProcess, endless: Path) -> None:
    thread, raised = when_busy(parser, endless)
    began = time.monotonic()
    parser.close()
    thread.join()
    assert time.monotonic() - began < 2
    assert [type(error) for error in raised] == [ParserUnavailable]
    assert children() == []


def test_a_closed_parser_reads_nothing_more(parser: ParserProcess, note: Path) -> None:
    parser.close()
    parser.close()
    with pytest.raises(ParserUnavailable):
        parse(parser, note)
    assert children() == []


def test_threads_wait_for_each_other(parser: ParserProcess, note: Path) -> None:
    titles: list[str] = []
    threads = [threading.Thread(target=lambda: titles.append(parse(parser, note).title)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert titles == ["标题"] * 8


def test_the_child_dies_with_its_parent(endless: Path) -> None:
    code = (
        "import sys, threading, time, psutil\n"
        "from pathlib import Path; from ingest.sandbox.parser import ParserProcess\n"
        "parser = ParserProcess()\n"
        f"arguments = dict(seconds=60, memory_bytes={MEMORY_BYTES}, max_bytes={MAX_BYTES})\n"
        "path = Path(sys.argv[1]); place = (path.parent, path.name)\n"
        "threading.Thread(target=parser.parse, args=place, kwargs=arguments, daemon=True).start()\n"
        "while not any(c.cpu_times().user > 0.5 for c in psutil.Process().children()): time.sleep(0.02)\n"
        "print(psutil.Process().children()[0].pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(endless)], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(10)


def test_the_child_imports_nothing_from_the_working_directory_and_knows_no_secrets(
    note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (note.parent / "json.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(note.parent)
    monkeypatch.setenv("KB_TOKEN", "secret")
    with ParserProcess() as parser:
        assert parse(parser, note).title == "标题"
        assert "KB_TOKEN" not in children()[0].environ()


def test_the_child_is_no_part_of_the_terminals_group(parser: ParserProcess, note: Path) -> None:
    parse(parser, note)
    assert os.getpgid(children()[0].pid) != os.getpgid(0)


@pytest.mark.skipif(not ODD_FILES.is_dir(), reason="the collection of odd files is not here")
def test_every_odd_file_gives_a_document_or_a_reason(parser: ParserProcess) -> None:
    outcomes = {}
    for path in sorted(ODD_FILES.glob("*.pdf")):
        try:
            document = parse(parser, path)
        except UnreadableFile as failure:
            assert failure.message
            outcomes[path.name] = failure.message.partition(":")[0]
        else:
            assert document.text.encode()
            assert document.blocks
            outcomes[path.name] = "document"
    assert set(outcomes.values()) == {"document", "no text layer", "no text", "broken", "encrypted"}
    assert outcomes["issue6010_2.pdf"] == "encrypted"
    assert list(outcomes.values()).count("document") >= 70


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_what_a_library_prints_does_not_reach_the_replies(parser: ParserProcess, note: Path) -> None:
    parse(parser, note)
    streams = Path("/proc", str(children()[0].pid), "fd")
    assert {str((streams / number).readlink()) for number in "012"} == {os.devnull}
