from pathlib import Path

import pytest

from kb.errors import InvalidRequest, NotFound, StorageError
from server.http.access.tokens import FILE_NAME, TokenFile, digest_of


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "home")


def test_a_token_is_found_by_its_digest_and_kept_nowhere(tokens: TokenFile, tmp_path: Path) -> None:
    assert not tokens.is_there
    token = tokens.add("ada", ["ask", "read"])
    found = tokens.find(digest_of(token))
    assert found
    assert (found.name, found.rights) == ("ada", ("read", "ask"))
    path = tmp_path / "home" / FILE_NAME
    assert token not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(token) > 40


def test_what_is_added_and_revoked_elsewhere_is_known_at_once(tokens: TokenFile, tmp_path: Path) -> None:
    running = TokenFile(tmp_path / "home")
    assert running.find(digest_of("x")) is None
    token = tokens.add("ada", ["read"])
    assert running.find(digest_of(token))
    tokens.revoke("ada")
    assert running.find(digest_of(token)) is None
    assert running.is_there


@pytest.mark.parametrize("name", ["ada", "", "a b", "a\nb", "x" * 65])
def test_name_that_is_taken_or_none_is_refused(tokens: TokenFile, name: str) -> None:
    tokens.add("ada", ["read"])
    with pytest.raises(InvalidRequest, match="taken"):
        tokens.add(name, ["read"])


def test_what_is_no_right_and_who_is_not_there_are_named(tokens: TokenFile) -> None:
    with pytest.raises(InvalidRequest, match="'rule'"):
        tokens.add("ada", ["read", "rule"])
    with pytest.raises(NotFound, match="'ada'"):
        tokens.revoke("ada")


@pytest.mark.parametrize("content", ["", "{}x", "[1]", '[{"name": "a"}]', "\x00"])
def test_damaged_file_opens_nothing_and_is_named(tokens: TokenFile, tmp_path: Path, content: str) -> None:
    token = tokens.add("ada", ["read"])
    (tmp_path / "home" / FILE_NAME).write_text(content)
    assert tokens.find(digest_of(token)) is None
    assert tokens.is_there
    with pytest.raises(StorageError, match=FILE_NAME):
        tokens.all()
