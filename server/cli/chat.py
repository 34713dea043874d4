"""`kb chat`: a conversation in the terminal, line by line.

Where standard input is no terminal, lines are read from it without a prompt. Nothing that goes wrong with one question
ends the conversation.
"""

import importlib
import io
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from rich.markup import escape
from rich.text import Text

from kb.errors import KBError
from kb.values.chat import Turn
from server.cli.conversation import Ask, Command, Conversation, command_of
from server.cli.keeping import Keeping
from server.client.typing import prepared_while_typing
from server.terminal import console
from server.terminal.answers import AnswerView, show_citations, show_passages
from server.terminal.cleaning import as_typed, printable
from server.terminal.reasons import reasons

PROMPT = "> "

HELP = """\
/sources   the quotes and passages behind the last answer
/why       what the model thought and did not see, and why there is no answer if there is none
/clear     begin another conversation
/help      this list
/exit      end; so do exit, quit and Ctrl+D

Ctrl+C stops an answer; what was stopped is not remembered."""

Prepare = Callable[[str, Sequence[Turn]], None]
ReadLine = Callable[[], str | None]


def chat(
    ask: Ask,
    *,
    prepare: Prepare | None = None,
    show_reasoning: bool = False,
    min_evidence: float | None = None,
    keeping: Keeping | None = None,
    read_line: ReadLine | None = None,
) -> None:
    """Talks until the input ends, or somebody wants it to.

    Args:
        ask: Asks one question.
        prepare: Is told of a question with earlier turns while it is typed; None: nobody is.
        show_reasoning: Whether reasoning is shown while it comes.
        min_evidence: How likely an answer must be to be given, in 0…1; None: not known.
        keeping: Keeps what is answered; None: nothing is kept.
        read_line: Gives the next line, or None at the end; None: the terminal.
    """
    conversation = Conversation(ask, keeping)
    if keeping and keeping.title:
        console.err.print(f"[dim]going on with: {escape(printable(keeping.title))}[/]")

    def grows(text: str) -> None:
        if prepare and command_of(text) is None:
            prepare(as_typed(text), conversation.history)

    read_line = read_line or line_reader(grows)
    while (line := read_line()) is not None:
        text = as_typed(line)
        command = command_of(text)
        if command is Command.EXIT:
            return
        try:
            if command is not None:
                _obey(command, conversation, min_evidence)
            elif text:
                _answer(text, conversation, show_reasoning)
        except KeyboardInterrupt:
            console.err.print("\n[dim]stopped; this is not remembered[/]")
        except KBError as error:
            console.show_error(error)


def line_reader(grows: Callable[[str], None]) -> ReadLine:
    """Reads lines from standard input: with prompt, editing and history if somebody sits there.

    Args:
        grows: Is told in another thread what has been typed so far, where the terminal shows that.
    """
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # bytes that are no text must not end the conversation
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return lambda: sys.stdin.readline() or None
    with suppress(ImportError):  # there is none on Windows, where the console edits lines itself
        importlib.import_module("readline")  # from now on used by input()
    console.err.print("[dim]Ask about your documents; /help lists what else can be typed.[/]")
    return lambda: _prompted(grows)


def _prompted(grows: Callable[[str], None]) -> str | None:
    try:
        with prepared_while_typing(_typed_so_far, grows):
            return input(PROMPT)
    except EOFError:
        console.err.print()
        return None
    except KeyboardInterrupt:
        console.err.print()
        return "" if _typed_so_far() else None


def _typed_so_far() -> str:
    readline = sys.modules.get("readline")
    return str(readline.get_line_buffer()) if readline else ""


def _answer(question: str, conversation: Conversation, show_reasoning: bool) -> None:
    view = AnswerView(show_reasoning)
    events = conversation.ask(question)
    try:
        for body in events:
            view.show(body)
    finally:
        events.close()
        view.close()


def _obey(command: Command, conversation: Conversation, min_evidence: float | None) -> None:
    last = conversation.last
    match command:
        case Command.HELP:
            console.out.print(HELP, markup=False)
        case Command.CLEAR:
            conversation.clear()
            console.err.print("[dim]forgotten; the next question stands alone[/]")
        case Command.UNKNOWN | Command.EXIT:
            console.err.print("[dim]there is no such command; /help lists them[/]")
        case Command.SOURCES | Command.WHY if last is None:
            console.err.print("[dim]nothing has been answered yet[/]")
        case Command.SOURCES:
            show_citations(last.citations)
            console.out.print("\n[bold]passages found[/]")
            show_passages(last.passages, last.left_out.passages)
        case Command.WHY:
            console.out.print(Text(printable(last.reasoning) or "The model did not think before.", style="dim italic"))
            for reason in reasons(last, min_evidence):
                console.out.print(Text(printable(reason)))
