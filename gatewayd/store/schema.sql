-- The store, schema version 3. WAL, synchronous=FULL. Times are RFC 3339 text in UTC except
-- records.time, which is the text inside the record. Masses are grams.

PRAGMA application_id = 0x67617479;  -- "gaty": tells our file from any other SQLite file

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Immutable facts. `body` is the CloudEvents JSON of contract §7 in RFC 8785 form.
CREATE TABLE records (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT NOT NULL UNIQUE,
    rig      TEXT NOT NULL,
    kind     TEXT NOT NULL,
    time     TEXT NOT NULL,
    prevhash TEXT NOT NULL,
    hash     TEXT NOT NULL,
    body     TEXT NOT NULL
) STRICT;

CREATE TRIGGER records_never_change BEFORE UPDATE ON records
BEGIN SELECT RAISE(ABORT, 'a committed record never changes'); END;

CREATE TRIGGER records_are_never_lost BEFORE DELETE ON records
WHEN old.sequence > coalesce((SELECT sequence FROM pruned), 0)
    OR EXISTS (SELECT 1 FROM dead_letters WHERE sequence = old.sequence)
    OR EXISTS (SELECT 1 FROM alarms WHERE record_id = old.id AND cleared_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'a committed record is never lost'); END;

-- Single-use rights to fill: pending until resolved exactly once, together with their record.
CREATE TABLE permits (
    id              TEXT PRIMARY KEY,
    record_id       TEXT NOT NULL UNIQUE,
    rig             TEXT NOT NULL,
    permit_no       INTEGER NOT NULL CHECK (permit_no BETWEEN 1 AND 65535),
    cylinder_code   TEXT NOT NULL,
    target_g        INTEGER NOT NULL,
    limit_gross_g   INTEGER NOT NULL,
    tare_g          INTEGER NOT NULL,
    lease_ms        INTEGER NOT NULL,
    total_before_g  INTEGER NOT NULL,
    fills_before    INTEGER NOT NULL,
    issued_at       TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    judged          TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'posted', 'voided', 'expired'))
) STRICT, WITHOUT ROWID;

-- A rig has one gate: at most one right to open it.
CREATE UNIQUE INDEX permits_pending ON permits (rig) WHERE state = 'pending';

CREATE TABLE rigs (
    rig            TEXT PRIMARY KEY,
    last_permit_no INTEGER NOT NULL DEFAULT 0,  -- 0: never issued
    last_total_g   INTEGER,                     -- the PLC totaliser at the last record
    last_filled    TEXT                         -- code of the cylinder that last took gas here
) STRICT, WITHOUT ROWID;

-- The archive: columns of contract §9 in their order; NULL is unknown. Booleans are 0 and 1.
-- fills_done is the station's own count and changes no version.
CREATE TABLE cylinders (
    code               TEXT PRIMARY KEY,
    tag_uids           TEXT NOT NULL,
    serial_no          TEXT,
    maker              TEXT,
    owner              TEXT,
    model              TEXT,
    medium             TEXT,
    water_capacity_ml  INTEGER,
    stamped_tare_g     INTEGER,
    allowed_net_g      INTEGER,
    made_on            TEXT,
    scrap_on           TEXT,
    life_extended_to   TEXT,
    last_inspection_on TEXT,
    next_inspection_on TEXT,
    design_standard    TEXT,
    design_life_years  INTEGER,
    inspection_result  TEXT,
    status             TEXT,
    hold               TEXT,
    fills_allowed      INTEGER,
    fills_done         INTEGER,
    refurbished        INTEGER,
    screw_shroud       INTEGER,
    embossed_mark      INTEGER,
    version            INTEGER NOT NULL DEFAULT 0,  -- archive.version when this entry last changed
    changed_at         TEXT,                        -- when that was; NULL before version 2
    source_version     INTEGER,                     -- the newest version an upstream gave for it
    kind                 TEXT,                      -- from here on beyond the contract's columns
    working_pressure_kpa INTEGER,
    registered           INTEGER,
    maker_licensed       INTEGER,
    taxi                 INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX cylinders_by_version_0 ON cylinders (version);  -- a rebuilt table numbers its own

-- Upper-case hex without separators -> code. One uid on two cylinders is kept: a reason to refuse.
CREATE TABLE cylinder_tags (
    uid  TEXT NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (uid, code)
) STRICT, WITHOUT ROWID;

-- The archive as a whole. Versions only grow, with gaps; a large import reserves its own at once.
CREATE TABLE archive (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    version         INTEGER NOT NULL,  -- of the last change
    removed_version INTEGER NOT NULL,  -- of the last change that removed entries
    confirmed_at    TEXT               -- when its source last said that it is right; NULL: never
) STRICT;

INSERT INTO archive VALUES (1, 0, 0, NULL);

-- Who held which cylinder and why, kept for good. An import neither ends nor overrides a hold.
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

CREATE TABLE cursors (
    upstream        TEXT PRIMARY KEY,
    sequence        INTEGER NOT NULL,
    acknowledged_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Refused by an upstream for good; kept until a person has it sent again and it is taken.
CREATE TABLE dead_letters (
    upstream   TEXT NOT NULL,
    sequence   INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    refused_at TEXT NOT NULL,
    retrying   INTEGER NOT NULL DEFAULT 0 CHECK (retrying IN (0, 1)),
    PRIMARY KEY (upstream, sequence)
) STRICT, WITHOUT ROWID;

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

INSERT INTO clock (one) VALUES (1);

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
