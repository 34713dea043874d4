"""Conversations in one SQLite file beside the catalog. The file is made when the first one is kept.

What is deleted is overwritten, and gone from the log too when `delete` returns. Knows nothing of how answers are made.
"""

import datetime
import json
import secrets
import threading
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from kb.catalog.database import Database, Row
from kb.errors import InvalidRequest, NotFound, StorageError
from kb.values.answers import Citation
from kb.values.conversations import ConversationInfo, KeptConversation, KeptTurn

MAX_TITLE_CHARS = 200
MAX_TURNS = 1000
"""Of one conversation."""

_SCHEMA_VERSION = 1
_SCHEMA = """
    CREATE TABLE conversations (
        id         TEXT PRIMARY KEY,
        title      TEXT NOT NULL,
        changed_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE turns (
        conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        ordinal         INTEGER NOT NULL,
        question        TEXT NOT NULL,
        answer          TEXT NOT NULL,
        citations       TEXT NOT NULL,  -- JSON
        model           TEXT NOT NULL,
        finish_reason   TEXT NOT NULL,
        asked_at        TEXT NOT NULL,
        PRIMARY KEY (conversation_id, ordinal)
    ) STRICT, WITHOUT ROWID;
"""
_INFO = (
    "SELECT id, title, changed_at, (SELECT count(*) FROM turns WHERE conversation_id = conversations.id) AS turns"
    " FROM conversations"
)
_WIPING_ATTEMPTS = 10


class ConversationStore:
    """Safe for use by several threads.

    Args:
        path: Of the file; not made before something is kept.
        keeps: Whether anything new is kept. What was kept before can be read and deleted in any case.
    """

    def __init__(self, path: Path, *, keeps: bool = True) -> None:
        self.keeps = keeps
        self._path = path
        self._lock = threading.Lock()
        self._opened: Database | None = None

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            if self._opened:
                self._opened.close()
                self._opened = None

    def list(self, query: str = "", limit: int = 200) -> list[ConversationInfo]:
        """Conversations, the latest first.

        Args:
            query: What stands in a title, a question or an answer; empty: all.
            limit: How many at the most.
        """
        if not self._path.exists():
            return []
        pattern = "%{}%".format(query.strip().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_"))
        sql = (
            f"{_INFO} WHERE title LIKE ?1 ESCAPE '\\' OR EXISTS (SELECT 1 FROM turns WHERE conversation_id = id"
            r" AND (question LIKE ?1 ESCAPE '\' OR answer LIKE ?1 ESCAPE '\')) ORDER BY changed_at DESC, id LIMIT ?2"
        )
        return [_info(row) for row in self._database().rows(sql, pattern, limit)]

    def get(self, conversation_id: str) -> KeptConversation:
        """A conversation with its turns.

        Raises:
            NotFound: There is none with this id.
        """
        rows = self._database().rows(f"{_INFO} WHERE id = ?", conversation_id) if self._path.exists() else []
        if not rows:
            raise _unknown(conversation_id)
        turns = self._database().rows("SELECT * FROM turns WHERE conversation_id = ? ORDER BY ordinal", conversation_id)
        return KeptConversation(_info(rows[0]), tuple(map(_turn, turns)))

    def begin(self) -> str:
        """Begins a conversation; its id.

        Raises:
            InvalidRequest: Conversations are not kept.
        """
        self._require_keeping()
        conversation_id = secrets.token_hex(8)
        with self._database().transaction() as connection:
            connection.execute("INSERT INTO conversations VALUES (?, '', ?)", (conversation_id, _now()))
        return conversation_id

    def add(self, conversation_id: str, turn: KeptTurn) -> None:
        """Adds a turn; the first question becomes the title.

        Raises:
            InvalidRequest: Conversations are not kept, or this one is too long.
            NotFound: There is none with this id.
        """
        self._require_keeping()
        citations = json.dumps([asdict(citation) for citation in turn.citations], ensure_ascii=False)
        title, now = _as_title(turn.question), _now()
        with self._database().transaction() as connection:
            sql = (
                "UPDATE conversations SET changed_at = ?, title = CASE title WHEN '' THEN ? ELSE title END WHERE id = ?"
            )
            if not connection.execute(sql, (now, title, conversation_id)).rowcount:
                raise _unknown(conversation_id)
            counted = "SELECT count(*) FROM turns WHERE conversation_id = ?"
            ordinal = connection.execute(counted, (conversation_id,)).fetchone()[0]
            if ordinal >= MAX_TURNS:
                raise InvalidRequest(f"the conversation has {MAX_TURNS} turns already", "begin another one")
            connection.execute(
                "INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (conversation_id, ordinal, turn.question, turn.answer, citations, turn.model, turn.finish_reason, now),
            )

    def rename(self, conversation_id: str, title: str) -> None:
        """Gives a conversation another title.

        Raises:
            NotFound: There is none with this id.
        """
        self._change("UPDATE conversations SET title = ? WHERE id = ?", _as_title(title), conversation_id)

    def delete(self, conversation_id: str) -> None:
        """Deletes a conversation; when this returns, nothing of it is left on the disk.

        Raises:
            NotFound: There is none with this id.
        """
        self._change("DELETE FROM conversations WHERE id = ?", conversation_id)
        self._wipe()

    def forget_document(self, document_id: str) -> None:
        """Takes the quotes of a document out of all conversations; what was answered stays."""
        if not self._path.exists():
            return
        with self._database().transaction() as connection:
            sql = "SELECT conversation_id, ordinal, citations FROM turns WHERE instr(citations, ?)"
            for row in connection.execute(sql, (f'"document_id": "{document_id}"',)).fetchall():
                citations = [
                    citation | {"quote": ""} if citation["document_id"] == document_id else citation
                    for citation in json.loads(row["citations"])
                ]
                connection.execute(
                    "UPDATE turns SET citations = ? WHERE conversation_id = ? AND ordinal = ?",
                    (json.dumps(citations, ensure_ascii=False), row["conversation_id"], row["ordinal"]),
                )
        self._wipe()

    def _change(self, sql: str, *values: str) -> None:
        conversation_id = values[-1]
        if not self._path.exists():
            raise _unknown(conversation_id)
        with self._database().transaction() as connection:
            if not connection.execute(sql, values).rowcount:
                raise _unknown(conversation_id)

    def _wipe(self) -> None:
        """Empties the log, in which what was deleted may still stand; the file itself is overwritten by SQLite."""
        if not any(self._database().checkpoint() for _ in range(_WIPING_ATTEMPTS)):
            raise StorageError("something reads the conversations all the time", "try again in a moment")

    def _require_keeping(self) -> None:
        if not self.keeps:
            raise InvalidRequest("conversations are not kept", "set KB_KEEP_CONVERSATIONS=on to keep them")

    def _database(self) -> Database:
        with self._lock:
            if self._opened is None:
                self._opened = Database(self._path, _SCHEMA, _SCHEMA_VERSION)
            return self._opened


def _unknown(conversation_id: str) -> NotFound:
    return NotFound(f"no conversation has the id {conversation_id!r}", "GET /conversations lists them")


def _as_title(text: str) -> str:
    return " ".join(text.split())[:MAX_TITLE_CHARS]


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()


def _info(row: Row) -> ConversationInfo:
    return ConversationInfo(row["id"], row["title"], datetime.datetime.fromisoformat(row["changed_at"]), row["turns"])


def _citation(written: dict[str, Any]) -> Citation:
    """Fields that a newer version has written are passed over."""
    return Citation(**{field.name: written[field.name] for field in fields(Citation) if field.name in written})


def _turn(row: Row) -> KeptTurn:
    return KeptTurn(
        row["question"],
        row["answer"],
        tuple(map(_citation, json.loads(row["citations"]))),
        row["model"],
        row["finish_reason"],
        datetime.datetime.fromisoformat(row["asked_at"]),
    )
