R"sql(
-- Leads, one row each. Filled from the log like all tables.

CREATE TABLE leads (
    id BLOB PRIMARY KEY, contact INTEGER NOT NULL, created_at INTEGER NOT NULL, source TEXT NOT NULL, product TEXT NOT NULL, unit TEXT NOT NULL, touch INTEGER NOT NULL,
    owner TEXT NOT NULL, stage INTEGER NOT NULL, grade INTEGER NOT NULL, due_at INTEGER NOT NULL, touchpoints INTEGER NOT NULL,
    response_ms INTEGER, in_time INTEGER, qualified INTEGER NOT NULL, value INTEGER NOT NULL, currency TEXT NOT NULL, recycles INTEGER NOT NULL, reassigns INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX leads_created ON leads (created_at);
)sql"
