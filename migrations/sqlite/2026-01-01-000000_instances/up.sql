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
    id TEXT NOT NULL,
    terms BLOB NOT NULL,
    body BLOB,
    PRIMARY KEY (part, rid)
) WITHOUT ROWID;

-- Searches across dossiers: every instance of a type by age, by last change, and by its main date.
CREATE INDEX instance_kind ON instance (kind, rid, part) WHERE body IS NOT NULL;
CREATE INDEX instance_updated ON instance (kind, updated, rid, part) WHERE body IS NOT NULL;
-- Deletions, for histories.
CREATE INDEX instance_deleted ON instance (kind, updated, rid, part) WHERE body IS NULL;
-- What is deleted has no date; a condition on the body would have each instance looked at.
CREATE INDEX instance_date ON instance (kind, date_high, date_low, rid, part);

-- Superseded versions. Histories of a type and of the whole go by the moment at which they were made.
CREATE TABLE version (
    part BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    version BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    method SMALLINT NOT NULL,
    body BLOB,
    PRIMARY KEY (part, rid, version)
);
CREATE INDEX version_updated ON version (kind, updated, rid, part, version);

-- Logical ids that do not say themselves where the instance rests: name is a hash of kind and id.
CREATE TABLE alias (
    name BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    id TEXT NOT NULL,
    part BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    PRIMARY KEY (name, kind, id)
) WITHOUT ROWID;

-- Values compared for equality, for searches across dossiers: a term that leads, and what qualifies it there; 0: nothing. Inside a
-- dossier instance.terms answers.
CREATE TABLE term (
    term BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    rid BIGINT NOT NULL,
    part BIGINT NOT NULL,
    qualifier BIGINT NOT NULL,
    PRIMARY KEY (term, kind, rid, part, qualifier)
) WITHOUT ROWID;

-- Values that are ordered; entry: which of its instance's. Of a string negative: a later word of a value, and no value to sort by.
CREATE TABLE date_value (
    part BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    entry INTEGER NOT NULL,
    parameter INTEGER NOT NULL,
    low BIGINT NOT NULL,
    high BIGINT NOT NULL,
    PRIMARY KEY (part, rid, entry)
) WITHOUT ROWID;
CREATE INDEX date_value_low ON date_value (parameter, low, high, part, rid);

CREATE TABLE string_value (
    part BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    entry INTEGER NOT NULL,
    parameter INTEGER NOT NULL,
    folded TEXT NOT NULL,
    PRIMARY KEY (part, rid, entry)
) WITHOUT ROWID;
CREATE INDEX string_value_folded ON string_value (parameter, folded, part, rid);

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
) WITHOUT ROWID;
CREATE INDEX quantity_value_low ON quantity_value (parameter, low, high, unit, part, rid);
CREATE INDEX quantity_value_high ON quantity_value (parameter, high, low, unit, part, rid);

-- The journal of accesses. Clustered by time, not by dossier: records of many dossiers that become durable together then share
-- pages. The records of one dossier are a chain from its head: each says when the one before it was recorded.
CREATE TABLE audit (
    part BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    recorded BIGINT NOT NULL,
    preceding BIGINT,
    entry BLOB NOT NULL,
    PRIMARY KEY (recorded, part, seq)
) WITHOUT ROWID;

-- The last record of each dossier; preceding: what recorded was before it was moved last.
CREATE TABLE audit_head (
    part BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    recorded BIGINT NOT NULL,
    preceding BIGINT,
    PRIMARY KEY (part)
) WITHOUT ROWID;

-- What the store must remember of itself.
CREATE TABLE setting (
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;
