-- The catalog. Offsets count characters of documents.text; times are UTC, ISO 8601; JSON columns hold arrays of strings.

CREATE TABLE documents (
    id           TEXT PRIMARY KEY,
    root         TEXT NOT NULL,               -- watched folder, absolute
    source       TEXT NOT NULL,               -- path below it
    size_bytes   INTEGER NOT NULL,
    modified_ns  INTEGER NOT NULL,
    sha256       TEXT NOT NULL,               -- of the file's bytes
    title        TEXT NOT NULL,
    media_type   TEXT NOT NULL,
    tags         TEXT NOT NULL,               -- JSON
    date         TEXT,
    page_count   INTEGER,
    text         TEXT NOT NULL,
    text_chars   INTEGER NOT NULL,
    indexed_at   TEXT NOT NULL,
    UNIQUE (root, source)
) STRICT;

CREATE TABLE chunks (
    id           INTEGER PRIMARY KEY,
    document_id  TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    ordinal      INTEGER NOT NULL,            -- 0, 1, … within the document
    start_char   INTEGER NOT NULL,
    end_char     INTEGER NOT NULL,
    page         INTEGER,
    headings     TEXT NOT NULL,               -- JSON
    context      TEXT NOT NULL,
    tokens       INTEGER NOT NULL,
    text_hash    TEXT NOT NULL,               -- of context and text: the key of the embedding
    UNIQUE (document_id, ordinal)
) STRICT;
CREATE INDEX chunks_by_hash ON chunks (text_hash, document_id);

-- Terms come from kb.text.index_terms, with spaces between; the tokenizer must not cut them again.
CREATE VIRTUAL TABLE chunk_terms USING fts5 (
    terms, tokenize = "unicode61 remove_diacritics 2 tokenchars '.,:/-_'''"
);

CREATE TABLE embeddings (
    identity     TEXT NOT NULL,               -- of the embedding model
    text_hash    TEXT NOT NULL,
    vector       BLOB NOT NULL,               -- float32, little-endian, unit norm
    PRIMARY KEY (identity, text_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE failures (
    root         TEXT NOT NULL,
    source       TEXT NOT NULL,
    size_bytes   INTEGER NOT NULL,
    modified_ns  INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    reason       TEXT NOT NULL,
    hint         TEXT NOT NULL,
    attempts     INTEGER NOT NULL,
    failed_at    TEXT NOT NULL,
    PRIMARY KEY (root, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE folders (
    root         TEXT PRIMARY KEY             -- watched when the service last ran
) STRICT, WITHOUT ROWID;

CREATE TABLE facts (
    name         TEXT PRIMARY KEY,            -- last_sync
    value        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
