R"sql(
-- Queries and reports only: every row follows from the touch log, and the file may be deleted at any time.
-- No address, no content, no key of a caller stands here. Instants are Unix milliseconds; positions are LogPosition values.

CREATE TABLE cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sequence INTEGER NOT NULL,      -- of the newest record that is in these tables
    position INTEGER NOT NULL,      -- of that record, with its chained hash: a log that was replaced is noticed
    hash BLOB NOT NULL,
    time INTEGER NOT NULL
);

CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);  -- rules, campaigns, API keys
CREATE TABLE profiles (
    id INTEGER PRIMARY KEY, purpose TEXT NOT NULL, channel TEXT NOT NULL, account TEXT NOT NULL,
    campaign TEXT NOT NULL, unit TEXT NOT NULL, template TEXT NOT NULL
);
CREATE TABLE policies (number INTEGER PRIMARY KEY, label TEXT NOT NULL, rule_names BLOB NOT NULL);

-- One row a touch. `profile` is that of the candidate in use; `newest` is the touch's newest record, from which its records are read back
-- to `created`; `fold` is what the next record of the touch needs to be counted.
CREATE TABLE touches (
    id BLOB PRIMARY KEY,
    contact INTEGER NOT NULL,
    campaign INTEGER,
    state INTEGER NOT NULL,
    profile INTEGER NOT NULL,
    key_name INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    key_hash INTEGER,
    created INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    fold BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX touches_by_contact ON touches (contact);
CREATE INDEX touches_by_campaign ON touches (campaign) WHERE campaign IS NOT NULL;

-- Sums over touches and attempts, so that a report never reads all touches. `bucket` is a quarter of an hour since 1970: every time zone
-- of today begins its days on one.
CREATE TABLE touch_counts (
    bucket INTEGER NOT NULL, profile INTEGER NOT NULL, class INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (bucket, profile, class)
) WITHOUT ROWID;
CREATE TABLE attempt_counts (
    bucket INTEGER NOT NULL, profile INTEGER NOT NULL, class INTEGER NOT NULL,
    count INTEGER NOT NULL, parts INTEGER NOT NULL, segments INTEGER NOT NULL, cost_micro INTEGER NOT NULL,
    PRIMARY KEY (bucket, profile, class)
) WITHOUT ROWID;
CREATE TABLE rule_counts (
    bucket INTEGER NOT NULL, profile INTEGER NOT NULL, rule INTEGER NOT NULL, deferred INTEGER NOT NULL, blocked INTEGER NOT NULL,
    PRIMARY KEY (bucket, profile, rule)
) WITHOUT ROWID;

CREATE TABLE contacts (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, owner TEXT NOT NULL, unit TEXT NOT NULL, status INTEGER NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, details INTEGER NOT NULL
);
CREATE INDEX contacts_by_id ON contacts (id);
CREATE TABLE consents (
    sequence INTEGER PRIMARY KEY, contact INTEGER NOT NULL, channel TEXT NOT NULL, purpose TEXT NOT NULL, unit TEXT NOT NULL,
    granted INTEGER NOT NULL, source TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE INDEX consents_by_contact ON consents (contact);
CREATE TABLE suppressions (
    list TEXT NOT NULL, address INTEGER NOT NULL, algorithm TEXT NOT NULL, hash BLOB NOT NULL,
    contact INTEGER NOT NULL, at INTEGER NOT NULL, expires_at INTEGER, position INTEGER NOT NULL,
    PRIMARY KEY (list, address, algorithm, hash)
) WITHOUT ROWID;
CREATE TABLE campaigns (
    id TEXT PRIMARY KEY, purpose TEXT NOT NULL, unit TEXT NOT NULL, state TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE conversions (
    sequence INTEGER PRIMARY KEY, contact INTEGER NOT NULL, kind TEXT NOT NULL, currency TEXT NOT NULL, value_cents INTEGER NOT NULL, at INTEGER NOT NULL
);
CREATE TABLE accounts (name TEXT PRIMARY KEY, up INTEGER NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
)sql"
