from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
import typer
from typer.testing import CliRunner

from kb.settings import load
from server.cli.main import app as kb
from server.cli.options import NO_FLAGS, spread, with_settings
from server.settings import ServerSettings

FLAGS = [name for name in ServerSettings.model_fields if name not in NO_FLAGS]


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def other_value(name: str) -> Any:
    """A value that is allowed, and not the default."""
    field = ServerSettings.model_fields[name]
    if name == "saved_filters":
        return '{"field": {"tags": ["field"]}}'
    if name in ("metrics_from", "proxy_from"):
        return "10.0.0.0/8"
    if name == "proxy_rights":
        return "read"
    if choices := get_args(field.annotation):
        return choices[-1] if isinstance(choices[-1], str) else "example.org,example.net"
    if field.annotation is Path:
        return "/tmp/elsewhere"
    if field.annotation is str:
        return "https://another.lan" if name.endswith(("_url", "_endpoint")) else "another"
    return 0.25 if name == "min_evidence" else field.default + 600


@pytest.fixture
def settings() -> dict[str, ServerSettings]:
    return {}


@pytest.fixture
def app(settings: dict[str, ServerSettings]) -> typer.Typer:
    """A command with all flags, which reads the settings."""
    app = typer.Typer()

    @app.command()
    @with_settings
    def read(**flags: Any) -> None:
        settings["read"] = load(kind=ServerSettings, **flags)

    return app


def test_token_key_and_folders_alone_have_no_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(kb, ["serve", "--help"]).stdout
    assert NO_FLAGS == ("folders", "token", "api_key")
    assert len(FLAGS) == len(ServerSettings.model_fields) - len(NO_FLAGS) > 25
    for name in FLAGS:
        assert f"{flag(name)} " in shown, name
        description = ServerSettings.model_fields[name].description
        assert description and " ".join(description.split()) in " ".join(shown.replace("│", " ").split())
    assert "--token" not in shown
    assert "--folders" not in shown


@pytest.mark.parametrize("name", FLAGS)
def test_each_flag_reaches_the_settings(app: typer.Typer, settings: dict[str, ServerSettings], name: str) -> None:
    value = other_value(name)
    if name in ("top_k", "rerank_depth"):
        value = 7
    CliRunner().invoke(app, [flag(name), str(value)], catch_exceptions=False)
    assert getattr(settings["read"], name) == getattr(load(kind=ServerSettings, **{name: value}), name)
    assert getattr(settings["read"], name) != getattr(load(kind=ServerSettings), name)


def test_flag_goes_before_the_environment_and_that_before_the_file(
    app: typer.Typer, settings: dict[str, ServerSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "kb.toml").write_text("top_k = 5\nrerank_depth = 5\nanswer_tokens = 50\n")
    monkeypatch.setenv("KB_TOP_K", "6")
    monkeypatch.setenv("KB_RERANK_DEPTH", "6")
    CliRunner().invoke(app, ["--top-k", "7"], catch_exceptions=False)
    read = settings["read"]
    assert (read.top_k, read.rerank_depth, read.answer_tokens, read.queue_size) == (
        7,
        6,
        50,
        load(kind=ServerSettings).queue_size,
    )


def test_home_that_a_flag_names_has_its_own_settings(
    app: typer.Typer, settings: dict[str, ServerSettings], tmp_path: Path
) -> None:
    (tmp_path / "kb.toml").write_text("top_k = 5\n")
    CliRunner().invoke(app, ["--home", str(tmp_path)], catch_exceptions=False)
    assert (settings["read"].home, settings["read"].top_k) == (tmp_path, 5)


def test_dataclass_is_made_of_the_options_that_its_fields_become() -> None:
    @dataclass(frozen=True)
    class Shape:
        colour: Annotated[str | None, typer.Option("--colour")] = None
        corners: Annotated[int, typer.Option(min=3)] = 4

    app, seen = typer.Typer(), []

    def draw(name: Annotated[str, typer.Argument()], shape: Shape, large: bool = False) -> None:
        seen.append((name, shape, large))

    app.command()(spread(draw))
    run = CliRunner().invoke
    assert run(app, ["tile", "--corners", "6", "--large"], catch_exceptions=False).exit_code == 0
    assert run(app, ["tile", "--colour", "red"], catch_exceptions=False).exit_code == 0
    assert run(app, ["tile", "--corners", "2"]).exit_code == 2
    assert seen == [("tile", Shape(None, 6), True), ("tile", Shape("red", 4), False)]
