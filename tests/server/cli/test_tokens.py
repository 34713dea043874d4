from typer.testing import CliRunner

from server.cli.main import app


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["token", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_tokens_are_added_listed_and_revoked() -> None:
    token = run("add", "ada", "--may", "read,write").strip()
    assert token.startswith("kb_")
    listed = run("list")
    assert "ada" in listed and "read, write" in listed and token not in listed
    run("revoke", "ada")
    assert "ada" not in run("list")
