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

ALTER TABLE cylinders ADD COLUMN kind TEXT;
ALTER TABLE cylinders ADD COLUMN working_pressure_kpa INTEGER;
ALTER TABLE cylinders ADD COLUMN registered INTEGER;
ALTER TABLE cylinders ADD COLUMN maker_licensed INTEGER;
ALTER TABLE cylinders ADD COLUMN taxi INTEGER;

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

-- Who works here. Lists are joined by `;`; NULL is unknown, a person without `active` is not barred.
CREATE TABLE operators (
    id                TEXT PRIMARY KEY,
    name              TEXT,
    certificate       TEXT,
    certificate_until TEXT,
    media             TEXT NOT NULL,
    roles             TEXT NOT NULL,
    cards             TEXT NOT NULL,
    active            INTEGER
) STRICT, WITHOUT ROWID;

-- A card as it is looked up -> operator. A card belongs to one person.
CREATE TABLE operator_cards (
    card     TEXT PRIMARY KEY,
    operator TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who logged in last at a rig and was not logged out; counts until `until`. History is in records.
CREATE TABLE sessions (
    rig         TEXT PRIMARY KEY,
    operator    TEXT NOT NULL,
    name        TEXT,
    certificate TEXT,
    since       TEXT NOT NULL,
    until       TEXT NOT NULL,
    how         TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest answered check of a form for a cylinder or for a batch.
CREATE TABLE checks (
    scope       TEXT NOT NULL CHECK (scope IN ('cylinder', 'batch')),
    subject     TEXT NOT NULL,
    form        TEXT NOT NULL,
    stage       TEXT NOT NULL CHECK (stage IN ('prefill', 'postfill')),
    rig         TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    answered_at TEXT NOT NULL,
    valid_until TEXT NOT NULL,
    failed      TEXT NOT NULL,  -- JSON; empty list: passed
    facts       TEXT NOT NULL,  -- JSON: numbers for the rules
    operator    TEXT NOT NULL,  -- JSON
    fill_id     TEXT,           -- the record that a post-fill check is about
    spent_by    TEXT,           -- the record of the fill that a pre-fill check was for
    PRIMARY KEY (scope, subject, form)
) STRICT, WITHOUT ROWID;

-- Fills whose post-fill check nobody has answered yet.
CREATE TABLE postchecks_due (
    fill_id   TEXT PRIMARY KEY,
    rig       TEXT NOT NULL,
    cylinder  TEXT NOT NULL,
    form      TEXT NOT NULL,
    filled_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX postchecks_due_by_rig ON postchecks_due (rig);
CREATE INDEX postchecks_due_by_cylinder ON postchecks_due (cylinder);

CREATE TABLE batches (
    rig       TEXT NOT NULL,
    number    TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    automatic INTEGER NOT NULL,
    closed_at TEXT,
    fills     INTEGER NOT NULL DEFAULT 0,
    net_g     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (rig, number)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX batches_open ON batches (rig) WHERE closed_at IS NULL;

-- Who locked which rig and why, kept for good. A locked rig fills nothing until it is unlocked.
CREATE TABLE rig_locks (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    rig           TEXT NOT NULL,
    reason        TEXT NOT NULL,
    locked_by     TEXT NOT NULL,
    locked_at     TEXT NOT NULL,
    unlocked_by   TEXT,
    unlocked_at   TEXT,
    unlock_reason TEXT
) STRICT;

CREATE UNIQUE INDEX rig_locks_open ON rig_locks (rig) WHERE unlocked_at IS NULL;

-- One cylinder's life is asked for by its code: fills, refusals, checks, movements, holds.
CREATE INDEX records_by_cylinder
    ON records (iif(json_valid(body), json_extract(body, '$.data.cylinder.code'), NULL));

-- What is known of each cylinder's way; stays when its records go. Sequences are those of records.
CREATE TABLE lives (
    code             TEXT PRIMARY KEY,
    filled_at        TEXT,     -- of its last fill in which gas flowed, permitted or not
    filled_sequence  INTEGER,
    filled_g         INTEGER,
    crossed_at       TEXT,     -- when it last left the station or came back
    crossed_sequence INTEGER
) STRICT, WITHOUT ROWID;

-- Where cylinders were seen last, for a restart; only the newest are kept.
CREATE TABLE sightings (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    code    TEXT NOT NULL,
    place   TEXT NOT NULL,  -- a rig, or points/ and the point
    seen_at TEXT NOT NULL
) STRICT;

-- Codes and tags that must never be used again, and which of them a person took back into use.
CREATE TABLE retired (
    kind         TEXT NOT NULL CHECK (kind IN ('code', 'uid')),
    value        TEXT NOT NULL,  -- a uid in upper-case hex without separators
    code         TEXT NOT NULL,  -- of the cylinder that had it
    reason       TEXT NOT NULL,
    retired_at   TEXT NOT NULL,
    reused_at    TEXT,
    reuse_reason TEXT,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

-- The same from what an older program left: fills in which gas flowed, and entries that have ended.
-- A record that was damaged on the disk is no fill and no reason not to start.
INSERT INTO lives (code, filled_at, filled_sequence, filled_g)
SELECT body ->> '$.data.cylinder.code', strftime('%Y-%m-%dT%H:%M:%f+00:00', time),
    max(sequence), body ->> '$.data.net_g'
FROM (
    SELECT sequence, time, iif(json_valid(body), body, NULL) AS body FROM records
    WHERE kind = 'fill'
)
WHERE body ->> '$.data.cylinder.code' IS NOT NULL
    AND body ->> '$.data.outcome' <> 'not_started' AND body ->> '$.data.net_g' > 0
GROUP BY 1;

INSERT INTO retired (kind, value, code, reason, retired_at)
SELECT 'code', code, code, status, strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
FROM cylinders WHERE status IN ('scrapped', 'cancelled');

INSERT INTO retired (kind, value, code, reason, retired_at)
SELECT 'uid', t.uid, min(t.code), c.status, strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')
FROM cylinder_tags t JOIN cylinders c USING (code)
WHERE c.status IN ('scrapped', 'cancelled') GROUP BY t.uid;

-- What runs, part by part as JSON; the part without a name has the salt of its fingerprints.
CREATE TABLE running (
    part  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The rule packs in force, as text: one whose file goes bad still decides after a restart.
CREATE TABLE packs (
    id           TEXT PRIMARY KEY,
    version      TEXT NOT NULL,
    hash         TEXT NOT NULL,
    text         TEXT NOT NULL,
    origin       TEXT NOT NULL,
    below        TEXT,  -- the text of the pack it extends; NULL: it stands alone
    below_origin TEXT
) STRICT, WITHOUT ROWID;

-- Through which record and which totaliser a rig's shifts are reconciled.
CREATE TABLE shifts (
    rig      TEXT PRIMARY KEY,
    ended_at TEXT NOT NULL,
    total_g  INTEGER NOT NULL,
    sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Requests of platforms that were settled, with their reply; kept until they cannot be valid any more.
CREATE TABLE requests (
    upstream   TEXT NOT NULL,
    id         TEXT NOT NULL,
    command    TEXT NOT NULL,
    kept_until TEXT NOT NULL,
    reply      TEXT NOT NULL,  -- JSON
    answered   INTEGER NOT NULL DEFAULT 0,  -- the broker has taken the reply
    PRIMARY KEY (upstream, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_by_end ON requests (kept_until);

-- The newest whole archive that each upstream gave.
CREATE TABLE snapshots (
    upstream       TEXT PRIMARY KEY,
    id             TEXT NOT NULL,
    source_version INTEGER NOT NULL,
    switched_at    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Records that an upstream has already although its cursor is below them: alarms overtake.
CREATE TABLE sent_ahead (
    upstream TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (upstream, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX records_alarms ON records (sequence) WHERE kind = 'alarm';

-- Records that an upstream asked for once more, beside its cursor.
CREATE TABLE resends (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    upstream      TEXT NOT NULL,
    next_sequence INTEGER NOT NULL,
    to_sequence   INTEGER NOT NULL
) STRICT;

-- Everything up to here was old enough and taken by every upstream of that day: only such records
-- may be deleted, see the trigger. The chain goes on with `hash`.
CREATE TABLE pruned (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    sequence  INTEGER NOT NULL,
    hash      TEXT NOT NULL,  -- of the record `sequence`
    upstreams TEXT NOT NULL,  -- JSON: who had to have taken them
    pruned_at TEXT            -- NULL: nothing was ever deleted
) STRICT;

INSERT INTO pruned VALUES
    (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', '[]', NULL);

CREATE TRIGGER pruned_moves_forward BEFORE UPDATE ON pruned
WHEN new.sequence <= old.sequence
    OR NOT EXISTS (SELECT 1 FROM records WHERE sequence = new.sequence AND hash = new.hash)
    OR NOT EXISTS (SELECT 1 FROM records WHERE sequence > new.sequence)
    OR EXISTS (
        SELECT 1 FROM json_each(new.upstreams) AS named
        LEFT JOIN cursors ON cursors.upstream = named.value
        WHERE coalesce(cursors.sequence, 0) < new.sequence
    )
BEGIN SELECT RAISE(ABORT, 'only records that every upstream has taken may go'); END;

CREATE TRIGGER pruned_stays BEFORE DELETE ON pruned
BEGIN SELECT RAISE(ABORT, 'where the chain begins is never forgotten'); END;

-- Records that were lost with a damaged or replaced store: the chain goes on behind `sequence`.
CREATE TABLE gaps (
    sequence      INTEGER PRIMARY KEY,  -- the last that is missing
    from_sequence INTEGER NOT NULL,     -- the first
    hash          TEXT NOT NULL,        -- what the record behind it names as prevhash
    noted_at      TEXT NOT NULL,
    file          TEXT NOT NULL         -- the store that they were in, or should have been
) STRICT;

CREATE INDEX dead_letters_by_sequence ON dead_letters (sequence);
CREATE INDEX alarms_standing ON alarms (record_id) WHERE cleared_at IS NULL;

DROP TRIGGER records_are_never_lost;

CREATE TRIGGER records_are_never_lost BEFORE DELETE ON records
WHEN old.sequence > coalesce((SELECT sequence FROM pruned), 0)
    OR EXISTS (SELECT 1 FROM dead_letters WHERE sequence = old.sequence)
    OR EXISTS (SELECT 1 FROM alarms WHERE record_id = old.id AND cleared_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'a committed record is never lost'); END;

UPDATE meta SET value = '3' WHERE key = 'schema_version';
