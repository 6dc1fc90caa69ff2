-- What was asked to be answered later: what is asked and how far it is, as one text.
CREATE TABLE task (
    id TEXT NOT NULL,
    expires BIGINT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (id)
) WITHOUT ROWID;

-- What was found so far, in pages.
CREATE TABLE task_output (
    id TEXT NOT NULL,
    page INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id, page)
);
