-- From schema version 1 to 2, in one transaction: versions and holds of the archive.

ALTER TABLE cylinders ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cylinders ADD COLUMN changed_at TEXT;
ALTER TABLE cylinders ADD COLUMN source_version INTEGER;
CREATE INDEX cylinders_by_version_0 ON cylinders (version);

DROP INDEX cylinder_tags_by_code;

CREATE TABLE archive (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    version         INTEGER NOT NULL,
    removed_version INTEGER NOT NULL,
    confirmed_at    TEXT
) STRICT;

INSERT INTO archive VALUES (1, 0, 0, NULL);

CREATE TABLE holds (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    code           TEXT NOT NULL,
    reason         TEXT NOT NULL,
    held_by        TEXT NOT NULL,
    held_at        TEXT NOT NULL,
    released_by    TEXT,
    released_at    TEXT,
    release_reason TEXT
) STRICT;

CREATE UNIQUE INDEX holds_open ON holds (code) WHERE released_at IS NULL;
CREATE INDEX holds_by_code ON holds (code);

UPDATE meta SET value = '2' WHERE key = 'schema_version';
