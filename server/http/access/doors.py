"""Who a client is: by the token that it sends, by the session of the page, or because a proxy says so."""

import hmac
import secrets
import time
from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any

from server.http.access.rights import RIGHTS, Need
from server.http.access.tokens import TokenFile, digest_of
from server.http.addresses import is_within
from server.settings import Network, Right

SESSION_COOKIE = "kb_session"
SESSION_SECONDS = 12 * 3600

CLIENT = "kb.client"
"""Where the scope of a request has who asks; None: nobody that is known."""

PEER = "kb.peer"
"""Where the scope of a request has the address that has connected, be it a proxy's."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks.

    Attributes:
        digest: Of the token behind it; empty: a proxy has named it.
        by_cookie: Whether a browser has sent what names it by itself, so that it may not be meant.
    """

    name: str
    rights: Collection[Right]
    digest: str = ""
    by_cookie: bool = False

    def may(self, need: Need) -> bool:
        """Whether it may do what needs that right."""
        return need in ("none", "known") or need in self.rights or "admin" in self.rights


class Doors:
    """Recognises clients.

    Args:
        token: Opens all; empty: there is none.
        tokens: Those with names and rights.
        proxies: Whose user header is believed.
        user_header: In which they name the user, in lower case; empty: none.
        user_rights: Of such users.
        session_seconds: How long the page need not send its token again.
    """

    def __init__(
        self,
        token: str,
        tokens: TokenFile,
        proxies: Collection[Network] = (),
        user_header: str = "",
        user_rights: Collection[Right] = (),
        session_seconds: int = SESSION_SECONDS,
    ) -> None:
        self._digest = digest_of(token) if token else ""
        self._tokens = tokens
        self._proxies = proxies
        self._user_header = user_header
        self._user_rights = user_rights
        self._session_key = secrets.token_bytes(32)
        self.session_seconds = session_seconds

    @property
    def are_closed(self) -> bool:
        """Whether clients must show who they are."""
        return bool(self._digest or self._user_header) or self._tokens.is_there

    def client(self, scope: MutableMapping[str, Any], headers: Mapping[str, str]) -> Client | None:
        """Who asks; None: nobody that is known."""
        if "authorization" in headers:
            kind, _, sent = headers["authorization"].partition(" ")
            token = sent.strip().encode("latin-1").decode("utf-8", "replace")
            return self._with_digest(digest_of(token)) if kind.lower() == "bearer" else None
        if (
            self._user_header
            and (user := headers.get(self._user_header))
            and is_within(scope.get(PEER, ""), self._proxies)
        ):
            return Client(user, self._user_rights)
        return self._of_session(_cookie_value(headers.get("cookie", "")))

    def session(self, client: Client) -> str:
        """A value that nobody else can make: when it ends, whose it is, and a signature with a key of this process."""
        return self._signed(f"{int(time.time()) + self.session_seconds}.{client.digest[:16]}")

    def _with_digest(self, digest: str) -> Client | None:
        if self._digest and hmac.compare_digest(digest, self._digest):
            return Client("KB_TOKEN", RIGHTS, digest)
        token = self._tokens.find(digest)
        return Client(token.name, token.rights, digest) if token else None

    def _of_session(self, value: str) -> Client | None:
        said = value.rpartition(".")[0]
        if not hmac.compare_digest(value.encode(), self._signed(said).encode()):
            return None
        end, _, beginning = said.partition(".")
        known = [self._digest, *self._tokens.digests()]
        digest = next((each for each in known if each and each[:16] == beginning), "")
        client = self._with_digest(digest) if int(end) > time.time() and digest else None
        return Client(client.name, client.rights, digest, by_cookie=True) if client else None

    def _signed(self, said: str) -> str:
        return f"{said}.{hmac.digest(self._session_key, said.encode(), 'sha256').hex()}"


def _cookie_value(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(SESSION_COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
