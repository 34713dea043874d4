"""How a catalog of an older version becomes one of this version: SQL, step by step."""

from types import MappingProxyType

from kb.values.documents import FailureKind

SCHEMA_VERSION = 7

FORGOTTEN_REASON = "forgotten at your wish"
FORGOTTEN_HINT = "change the file, or upload it again, to have it indexed again"

MIGRATIONS = MappingProxyType(
    {
        1: f"""
        ALTER TABLE documents ADD COLUMN changed_ns INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE documents ADD COLUMN recipe TEXT NOT NULL DEFAULT '';
        ALTER TABLE failures ADD COLUMN changed_ns INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE failures ADD COLUMN kind TEXT NOT NULL DEFAULT 'unreadable';
        ALTER TABLE failures ADD COLUMN next_try_at TEXT;
        ALTER TABLE folders ADD COLUMN device INTEGER;
        ALTER TABLE folders ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
        UPDATE failures SET kind = '{FailureKind.FORGOTTEN}' WHERE reason = '{FORGOTTEN_REASON}';
        """,
        2: """
        CREATE VIRTUAL TABLE new_terms USING fts5 (terms, tokenize = "ascii tokenchars '.,:/-_+#@%'");
        INSERT INTO new_terms (rowid, terms) SELECT rowid, terms FROM chunk_terms;
        DROP TABLE chunk_terms;
        ALTER TABLE new_terms RENAME TO chunk_terms;
        CREATE VIRTUAL TABLE chunk_vocabulary USING fts5vocab (chunk_terms, row);
        CREATE INDEX documents_by_condition ON documents (id, root, source, media_type, tags, date, modified_ns);
        """,
        3: """
        ALTER TABLE documents ADD COLUMN unread_pages TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE chunks ADD COLUMN page_label TEXT NOT NULL DEFAULT '';
        CREATE TABLE name_terms (
            term TEXT NOT NULL,
            document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
            PRIMARY KEY (term, document_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX name_terms_by_document ON name_terms (document_id);
        """,
        4: """
        CREATE TABLE digests (
            document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (document_id, key)
        ) STRICT, WITHOUT ROWID;
        """,
        5: """
        ALTER TABLE documents ADD COLUMN ocr_pages TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE documents ADD COLUMN unmapped_chars INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX documents_unread ON documents (id) WHERE unread_pages <> '[]';
        ALTER TABLE chunks ADD COLUMN by_ocr INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE scans (
            sha256 TEXT NOT NULL,
            page INTEGER NOT NULL,
            text TEXT NOT NULL,
            words TEXT NOT NULL,
            PRIMARY KEY (sha256, page)
        ) STRICT, WITHOUT ROWID;
        """,
        6: """
        CREATE TABLE links (
            document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
            start_char INTEGER NOT NULL,
            end_char INTEGER NOT NULL,
            target TEXT NOT NULL,
            fragment TEXT NOT NULL,
            is_embed INTEGER NOT NULL,
            is_path INTEGER NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (document_id, start_char)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX links_by_name ON links (name);
        CREATE TABLE link_names (
            name TEXT NOT NULL,
            document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
            is_alias INTEGER NOT NULL,
            PRIMARY KEY (name, document_id, is_alias)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX link_names_by_document ON link_names (document_id, is_alias);
        """,
    }
)
"""SQL that leads from a version of the schema to the next one."""
