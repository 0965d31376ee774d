-- From schema 2 to 3. Whatever schema.sql gained since is made here in the same words.

-- The last life of every alarm: it stands while cleared_at is NULL. Its history is in records.
CREATE TABLE alarms (
    kind            TEXT NOT NULL,
    subject         TEXT NOT NULL,
    rig             TEXT NOT NULL,  -- empty: belongs to no rig
    severity        TEXT NOT NULL,
    raised_at       TEXT NOT NULL,
    record_id       TEXT NOT NULL,  -- of the record of its last raising
    count           INTEGER NOT NULL,
    detail          TEXT NOT NULL,
    vals            TEXT NOT NULL,
    cleared_at      TEXT,
    acknowledged_at TEXT,
    acknowledged_by TEXT,
    note            TEXT,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

UPDATE meta SET value = '3' WHERE key = 'schema_version';
