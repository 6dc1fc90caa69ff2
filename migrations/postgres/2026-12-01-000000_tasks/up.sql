-- What was asked to be answered later: what is asked and how far it is, as one text.
CREATE TABLE task (
    id TEXT COLLATE "C" NOT NULL,
    expires BIGINT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (id)
);

-- What was found so far, in pages.
CREATE TABLE task_output (
    id TEXT COLLATE "C" NOT NULL,
    page INTEGER NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (id, page)
);
