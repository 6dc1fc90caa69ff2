-- Current versions of instances, each with its body; deleted ones without. Clustered by dossier.
CREATE TABLE instance (
    part BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    version BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    date_low BIGINT,
    date_high BIGINT,
    kind SMALLINT NOT NULL,
    method SMALLINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    terms BYTEA NOT NULL,
    leads BIGINT[] NOT NULL,
    body BYTEA,
    PRIMARY KEY (part, rid)
);

-- Searches across dossiers: every instance of a type by age, by last change, by its main date, newest first, and by values compared
-- for equality. Inside a dossier
-- the row itself answers. A row of PostgreSQL costs so much that an index leads to the row and repeats nothing of it. What
-- is written goes into the inverted index at once (fastupdate), so that no search has a list of what waits to go through.
CREATE INDEX instance_kind ON instance (kind, rid) WHERE body IS NOT NULL;
CREATE INDEX instance_updated ON instance (kind, updated) WHERE body IS NOT NULL;
-- Deletions, for histories.
CREATE INDEX instance_deleted ON instance (kind, updated) WHERE body IS NULL;
CREATE INDEX instance_date ON instance (kind, date_high DESC NULLS LAST) WHERE body IS NOT NULL;
CREATE INDEX instance_leads ON instance USING gin (leads) WITH (fastupdate = off) WHERE body IS NOT NULL;

-- Superseded versions. Histories of a type and of the whole go by the moment at which they were made.
CREATE TABLE version (
    part BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    version BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    method SMALLINT NOT NULL,
    body BYTEA,
    PRIMARY KEY (part, rid, version)
);
CREATE INDEX version_updated ON version (kind, updated);

-- Logical ids that do not say themselves where the instance rests: name is a hash of kind and id.
CREATE TABLE alias (
    name BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    part BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    PRIMARY KEY (name, kind, id)
);

-- Values that are ordered; entry: which of its instance's. Of a string negative: a later word of a value, and no value to sort by.
CREATE TABLE date_value (
    part BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    entry INTEGER NOT NULL,
    parameter INTEGER NOT NULL,
    low BIGINT NOT NULL,
    high BIGINT NOT NULL,
    PRIMARY KEY (part, rid, entry)
);
CREATE INDEX date_value_low ON date_value (parameter, low, high);

CREATE TABLE string_value (
    part BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    entry INTEGER NOT NULL,
    parameter INTEGER NOT NULL,
    folded TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (part, rid, entry)
);
CREATE INDEX string_value_folded ON string_value (parameter, folded);

-- unit 0: a plain number.
CREATE TABLE quantity_value (
    part BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    entry INTEGER NOT NULL,
    parameter INTEGER NOT NULL,
    unit BIGINT NOT NULL,
    low DOUBLE PRECISION NOT NULL,
    high DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (part, rid, entry)
);
CREATE INDEX quantity_value_low ON quantity_value (parameter, low, high);
CREATE INDEX quantity_value_high ON quantity_value (parameter, high);

-- The journal of accesses. Its rows lie in the order in which they came. The records of one dossier are a chain from its head: each
-- says when the one before it was recorded.
CREATE TABLE audit (
    part BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    recorded BIGINT NOT NULL,
    preceding BIGINT,
    entry BYTEA NOT NULL,
    PRIMARY KEY (part, seq)
);

-- The last record of each dossier; preceding: what recorded was before it was moved last.
CREATE TABLE audit_head (
    part BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    recorded BIGINT NOT NULL,
    preceding BIGINT,
    PRIMARY KEY (part)
);

-- What the store must remember of itself.
CREATE TABLE setting (
    name TEXT NOT NULL,
    value BYTEA NOT NULL,
    PRIMARY KEY (name)
);

-- Whoever writes under criteria holds the row of their slot, so that others under the same criteria wait. Rows come as they are
-- needed; equal criteria have the same slot, different ones may.
CREATE TABLE premise (
    slot SMALLINT NOT NULL PRIMARY KEY,
    taken BIGINT NOT NULL
);
