-- Search parameters that SearchParameters of this store define, and those they defined before. state: 0, instances older than it
-- may not be indexed by it; 1, all are; 2, it is not used any more, its entries may still be there. since: the epoch (a setting) in
-- which it came into this state.
CREATE TABLE parameter (
    id INTEGER NOT NULL,
    state SMALLINT NOT NULL,
    since BIGINT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (id)
) WITHOUT ROWID;

-- Work that outlives the server that does it, and how far it is.
CREATE TABLE job (
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;
