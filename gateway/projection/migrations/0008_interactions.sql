R"sql(
-- Conversations, and where their messages stand in the log: memory keeps those that are open or ended lately. States, queues and agents are words, so
-- that new ones need no new table. Filled from the log like all tables.

CREATE TABLE interactions (
    id BLOB PRIMARY KEY,              -- rises with time
    contact INTEGER NOT NULL,
    account TEXT NOT NULL, channel TEXT NOT NULL, queue TEXT NOT NULL, campaign TEXT NOT NULL,
    touch BLOB,                       -- that its first message answers
    state TEXT NOT NULL, reason TEXT NOT NULL, outcome TEXT NOT NULL DEFAULT '', disposition TEXT NOT NULL DEFAULT '', agent TEXT NOT NULL DEFAULT '',
    priority INTEGER NOT NULL,
    began_at INTEGER NOT NULL, last_at INTEGER NOT NULL, ended_at INTEGER
) WITHOUT ROWID;
CREATE INDEX interactions_by_contact ON interactions (contact);
CREATE TABLE interaction_messages (
    interaction BLOB NOT NULL, sequence INTEGER NOT NULL, position INTEGER NOT NULL, inbound INTEGER NOT NULL,
    PRIMARY KEY (interaction, sequence)
) WITHOUT ROWID;

)sql"
