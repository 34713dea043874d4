-- The catalog. Offsets count characters of documents.text; times are UTC, ISO 8601; JSON columns hold arrays of strings
-- where nothing else is said.
-- Columns that came with a later version stand last, where ALTER TABLE puts them.

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
    changed_ns   INTEGER NOT NULL DEFAULT 0,  -- 0: not noted
    recipe       TEXT NOT NULL DEFAULT '',    -- version of readers and chunker; empty: to be read anew
    unread_pages TEXT NOT NULL DEFAULT '[]',  -- JSON, numbers: pages that show something, but no text
    ocr_pages    TEXT NOT NULL DEFAULT '[]',  -- JSON, numbers: pages whose text was read in their picture
    unmapped_chars INTEGER NOT NULL DEFAULT 0, -- characters of which the file does not say what they are
    UNIQUE (root, source)
) STRICT;
-- Has all that filters look at, so that they need not leaf through the texts.
CREATE INDEX documents_by_condition ON documents (id, root, source, media_type, tags, date, modified_ns);
CREATE INDEX documents_unread ON documents (id) WHERE unread_pages <> '[]';

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
    page_label   TEXT NOT NULL DEFAULT '',    -- what is printed on the page, where that is not its number
    by_ocr       INTEGER NOT NULL DEFAULT 0,  -- 1: read in a picture of the page
    UNIQUE (document_id, ordinal)
) STRICT;
CREATE INDEX chunks_by_hash ON chunks (text_hash, document_id);

-- Terms come from kb.text.index_terms, with spaces between. The tokenizer must neither cut nor change them: `ascii` takes
-- all that is beyond ASCII as it is, and these are the marks that stand in terms.
CREATE VIRTUAL TABLE chunk_terms USING fts5 (terms, tokenize = "ascii tokenchars '.,:/-_+#@%'");

-- The terms of title and path, by which a document is found whose text does not say what it is about.
CREATE TABLE name_terms (
    term         TEXT NOT NULL,
    document_id  TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    PRIMARY KEY (term, document_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX name_terms_by_document ON name_terms (document_id);

-- In how many chunks each term stands.
CREATE VIRTUAL TABLE chunk_vocabulary USING fts5vocab (chunk_terms, row);

CREATE TABLE embeddings (
    identity     TEXT NOT NULL,               -- key of the space: the embedding model, and a revision if there is one
    text_hash    TEXT NOT NULL,
    vector       BLOB NOT NULL,               -- float32, little-endian, unit norm
    PRIMARY KEY (identity, text_hash)
) STRICT, WITHOUT ROWID;

-- What was made of documents by reading them whole.
CREATE TABLE digests (
    document_id  TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    key          TEXT NOT NULL,               -- hash of all that decides what comes out
    value        TEXT NOT NULL,               -- JSON
    PRIMARY KEY (document_id, key)
) STRICT, WITHOUT ROWID;

-- What was read in the pictures of pages, by the file's content, so that no picture is read twice.
CREATE TABLE scans (
    sha256       TEXT NOT NULL,               -- of the file's bytes
    page         INTEGER NOT NULL,
    text         TEXT NOT NULL,               -- empty: there was nothing that could be read
    words        TEXT NOT NULL,               -- JSON: [text, left, top, right, bottom], edges in shares of the picture
    PRIMARY KEY (sha256, page)
) STRICT, WITHOUT ROWID;

-- Links to other documents, as they are written: whoever asks finds out where they lead.
CREATE TABLE links (
    document_id  TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    start_char   INTEGER NOT NULL,
    end_char     INTEGER NOT NULL,
    target       TEXT NOT NULL,               -- a path or a name
    fragment     TEXT NOT NULL,
    is_embed     INTEGER NOT NULL,
    is_path      INTEGER NOT NULL,            -- 1: never an alias
    name         TEXT NOT NULL,               -- one of link_names, where there is such a document
    PRIMARY KEY (document_id, start_char)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_name ON links (name);

-- By what links may call a document: the name of its file, its title, its aliases.
CREATE TABLE link_names (
    name         TEXT NOT NULL,               -- kb.catalog.links.link_name
    document_id  TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    is_alias     INTEGER NOT NULL,            -- 0: the name of its file
    PRIMARY KEY (name, document_id, is_alias)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_names_by_document ON link_names (document_id, is_alias);

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
    changed_ns   INTEGER NOT NULL DEFAULT 0,  -- 0: not noted
    kind         TEXT NOT NULL DEFAULT 'unreadable',
    next_try_at  TEXT,
    PRIMARY KEY (root, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE folders (
    root         TEXT PRIMARY KEY,            -- watched when the service last ran
    device       INTEGER,                     -- file system it was last read from
    ordinal      INTEGER NOT NULL DEFAULT 0   -- 0, 1, … as the user gave them
) STRICT, WITHOUT ROWID;

CREATE TABLE facts (
    name         TEXT PRIMARY KEY,            -- last_sync, index, and the counters of kb.ledger
    value        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
