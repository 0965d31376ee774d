-- The table that `driver: postgresql` writes into; make it once, in the platform's database, and let
-- the gateway's user insert into it and read its ids: nothing more.
--
--     psql -d platform -f postgresql.sql
--     psql -d platform -c 'GRANT INSERT, SELECT (id) ON gatewayd_records TO gateway'

CREATE TABLE gatewayd_records (
    id       uuid        PRIMARY KEY,           -- the idempotency key: a repeated record changes nothing
    station  text        NOT NULL,
    sequence bigint      NOT NULL,              -- gap-free per gateway
    rig      text        NOT NULL,
    kind     text        NOT NULL,              -- fill, refusal, alarm, check, ...
    time     timestamptz NOT NULL,
    record   text        NOT NULL,              -- the record byte for byte, as it was hashed and signed
    arrived  bigint      GENERATED ALWAYS AS IDENTITY,
    UNIQUE (station, sequence, id)
);

-- For queries: SELECT data->>'net_g' FROM gatewayd_fills WHERE time > now() - interval '1 day';
CREATE VIEW gatewayd_fills AS
SELECT id, station, sequence, rig, time, (record::jsonb)->'data' AS data
FROM gatewayd_records WHERE kind = 'fill';
