R"sql(
-- The call center: what became of each item that a queue was offered, and what each agent did when. Filled from the log like all tables.

-- One row for each stay in a queue. how: 0 still there, 1 answered, 2 abandoned, 3 flowed out, 4 ended otherwise.
CREATE TABLE queue_items (
    interaction BLOB NOT NULL, part INTEGER NOT NULL, queue TEXT NOT NULL, channel TEXT NOT NULL, offered_at INTEGER NOT NULL, left_at INTEGER, how INTEGER NOT NULL,
    within INTEGER NOT NULL, short INTEGER NOT NULL, agent TEXT NOT NULL, ended_at INTEGER, closed_at INTEGER, offers INTEGER NOT NULL, rona INTEGER NOT NULL, rejected INTEGER NOT NULL,
    PRIMARY KEY (interaction, part)) WITHOUT ROWID;
CREATE INDEX queue_items_offered ON queue_items (offered_at);

-- What an agent was shown as, from `since` to before `until`.
CREATE TABLE agent_times (agent TEXT NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL);
CREATE INDEX agent_times_until ON agent_times (until);
CREATE TABLE agents (id TEXT PRIMARY KEY, name TEXT NOT NULL, unit TEXT NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE queues (id TEXT PRIMARY KEY, within_ms INTEGER NOT NULL, short_ms INTEGER NOT NULL) WITHOUT ROWID;
)sql"