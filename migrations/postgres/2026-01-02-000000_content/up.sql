-- Contents that rest outside the database, each named by its dossier, its SHA-256 and its generation. uses: how many versions name
-- it; a generation is retired, so that its object may be removed, only where that is none. chunks: the checksums of its chunks.
CREATE TABLE content (
    part BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    generation BIGINT NOT NULL,
    uses BIGINT NOT NULL,
    size BIGINT NOT NULL,
    chunks BYTEA NOT NULL,
    PRIMARY KEY (part, digest)
);
