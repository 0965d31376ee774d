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

-- What is known of the clock: latest_at is the newest time in a record written while it was believed.
CREATE TABLE clock (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    latest_at TEXT,                        -- UTC; NULL: no record yet
    believed  INTEGER NOT NULL DEFAULT 1,
    moved_s   REAL NOT NULL DEFAULT 0,     -- by how much it was set since anybody vouched for it
    vouched   INTEGER NOT NULL DEFAULT 0   -- how often a person did
) STRICT;

INSERT INTO clock (one, latest_at)
    SELECT 1, max(strftime('%Y-%m-%dT%H:%M:%f+00:00', time)) FROM records;

CREATE TRIGGER records_move_the_clock AFTER INSERT ON records
BEGIN
    UPDATE clock SET latest_at = strftime('%Y-%m-%dT%H:%M:%f+00:00', new.time)
    WHERE believed
        AND (latest_at IS NULL OR latest_at < strftime('%Y-%m-%dT%H:%M:%f+00:00', new.time));
END;

UPDATE meta SET value = '3' WHERE key = 'schema_version';
