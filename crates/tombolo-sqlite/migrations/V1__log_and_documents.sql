CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE space (
    key    INTEGER PRIMARY KEY,
    id     BLOB UNIQUE,
    server TEXT,
    epoch  BLOB,
    cursor INTEGER NOT NULL
);

CREATE TABLE entity (
    key  INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- One row a document; field is '' for the row's own.
CREATE TABLE doc (
    key    INTEGER PRIMARY KEY,
    entity INTEGER NOT NULL,
    row    BLOB NOT NULL,
    field  TEXT NOT NULL,
    space  INTEGER NOT NULL,
    UNIQUE (row, entity, field)
);

-- Snapshots of accepted commits: everything up to a place of the log.
CREATE TABLE base (
    doc   INTEGER PRIMARY KEY,
    upto  INTEGER NOT NULL,
    hash  BLOB NOT NULL,
    bytes BLOB NOT NULL
);

-- The log: one row a commit, in this replica's order. The outbox is the rows with state 0.
CREATE TABLE log (
    seq              INTEGER PRIMARY KEY,
    space            INTEGER NOT NULL,
    id               BLOB NOT NULL,
    state            INTEGER NOT NULL,
    server_seq       INTEGER,
    actor            INTEGER NOT NULL,
    manifest_version INTEGER NOT NULL,
    time             INTEGER NOT NULL,
    received         INTEGER,
    origin           TEXT,
    replaces         BLOB
);
CREATE UNIQUE INDEX log_id ON log (id);
CREATE INDEX log_pending ON log (seq) WHERE state = 0;
CREATE UNIQUE INDEX log_server ON log (space, server_seq) WHERE server_seq IS NOT NULL;

-- The authors of the log's rows, each 16 bytes, named by a small key.
CREATE TABLE actor (
    key INTEGER PRIMARY KEY,
    id  BLOB NOT NULL UNIQUE
);

-- A commit's update of a document, stored once: the document's row and the log's. Folded ones may be null.
-- The key is the commit's seq * 16384 and the update's number in it; rows are by number, because a search in a tree of
-- wide rows reads those it passes.
CREATE TABLE part (
    key   INTEGER PRIMARY KEY,
    doc   INTEGER NOT NULL,
    bytes BLOB
);
CREATE INDEX part_doc ON part (doc);

CREATE TABLE dirty (doc INTEGER PRIMARY KEY);

CREATE TABLE draft (
    n          INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    entity     TEXT NOT NULL,
    row        BLOB NOT NULL,
    field      TEXT NOT NULL,
    status     TEXT NOT NULL,
    code       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    commits    BLOB NOT NULL
);

CREATE TABLE retired (
    doc     INTEGER NOT NULL,
    peer    INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    PRIMARY KEY (doc, peer)
) WITHOUT ROWID;

CREATE TABLE answer (
    key    TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    answer TEXT NOT NULL,
    at     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX answer_at ON answer (at);
