"""Tokens with names and rights, in a file of the data directory that holds none of them: only their SHA-256.

A token is 32 random bytes, so that its hash cannot be guessed. The file is read again when it changes: what is revoked
opens nothing from then on. Invariant: a file that cannot be read opens nothing.
"""

import datetime
import hashlib
import json
import logging
import os
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from kb.errors import InvalidRequest, NotFound, StorageError
from server.http.access.rights import RIGHTS
from server.settings import Right

logger = logging.getLogger(__name__)

FILE_NAME = "tokens.json"
_NAME = re.compile(r"[\w.@-]{1,64}")


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token.

    Attributes:
        created: When, in UTC, as ISO 8601.
    """

    name: str
    digest: str
    rights: tuple[Right, ...]
    created: str


class TokenFile:
    """The tokens of a data directory.

    Args:
        home: The data directory; made when a token is added, if it is not there.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / FILE_NAME
        self._seen: tuple[int, int] | None = None
        self._by_digest: Mapping[str, Token] = {}

    @property
    def is_there(self) -> bool:
        """Whether there were ever any, so that one is asked for."""
        return self._path.exists()

    def find(self, digest: str) -> Token | None:
        """The token with a digest; None: it is unknown, revoked, or the file cannot be read."""
        try:
            self._refresh()
        except StorageError as error:
            logger.error("no token is accepted: %s", error.message)
            self._by_digest = {}
        return self._by_digest.get(digest)

    def digests(self) -> list[str]:
        """The digests of all that are valid."""
        self.find("")
        return list(self._by_digest)

    def all(self) -> list[Token]:
        """All tokens, in order of their names.

        Raises:
            StorageError: The file cannot be read.
        """
        self._refresh()
        return sorted(self._by_digest.values(), key=lambda token: token.name)

    def add(self, name: str, rights: Collection[str]) -> str:
        """Makes a token.

        Returns:
            The token itself, which is kept nowhere.

        Raises:
            InvalidRequest: The name is taken or no name, or a right is none.
        """
        known = self.all()
        if not _NAME.fullmatch(name) or name in [token.name for token in known]:
            raise InvalidRequest(f"{name!r} is taken, or no name", "take another one, of letters, digits and . _ @ -")
        if unknown := set(rights).difference(RIGHTS):
            raise InvalidRequest(f"there is no right {min(unknown)!r}", f"name some of: {', '.join(RIGHTS)}")
        token = f"kb_{secrets.token_urlsafe(32)}"
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        chosen = tuple(right for right in RIGHTS if right in rights)
        self._write([*known, Token(name, digest_of(token), chosen, now)])
        return token

    def revoke(self, name: str) -> None:
        """Takes a token back.

        Raises:
            NotFound: There is none of this name.
        """
        known = self.all()
        left = [token for token in known if token.name != name]
        if len(left) == len(known):
            raise NotFound(f"there is no token {name!r}", "`kb token list` shows all")
        self._write(left)

    def _refresh(self) -> None:
        try:
            state = self._path.stat()
            if self._seen == (seen := (state.st_mtime_ns, state.st_ino)):
                return
            read = json.loads(self._path.read_text("utf-8"))
            tokens = [Token(**{**fields, "rights": tuple(fields["rights"])}) for fields in read]
        except FileNotFoundError:
            seen, tokens = (0, 0), []
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StorageError(
                f"{self._path} cannot be read: {error}", "correct it, or remove it and add anew"
            ) from error
        self._by_digest, self._seen = {token.digest: token for token in tokens}, seen

    def _write(self, tokens: Collection[Token]) -> None:
        draft = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump([asdict(token) for token in tokens], file, indent=1)
            draft.replace(self._path)
        except OSError as error:
            raise StorageError(
                f"{self._path} cannot be written: {error.strerror}", "check disk and permissions"
            ) from error
