R"sql(
-- What measuring needs: who was assigned to which arm, when a campaign began, complaints. All tables are emptied, so that the log is read anew.

ALTER TABLE campaigns ADD COLUMN started_at INTEGER;  -- first start; null before it
-- The shares as the campaign gave them, in its order; position 0 is the control group.
CREATE TABLE campaign_arms (campaign TEXT NOT NULL, position INTEGER NOT NULL, arm TEXT NOT NULL, share REAL NOT NULL, PRIMARY KEY (campaign, position)) WITHOUT ROWID;
-- The audience of a campaign that has not begun; `arm` is a campaign::Assignment.
CREATE TABLE recipients (campaign TEXT NOT NULL, number INTEGER NOT NULL, contact INTEGER NOT NULL, arm INTEGER NOT NULL, PRIMARY KEY (campaign, number)) WITHOUT ROWID;
-- One row for a contact in a campaign's experiment; campaign and arm are ids in `names`. `given`: by the audience, not by the hash.
CREATE TABLE assignments (
    contact INTEGER NOT NULL, campaign INTEGER NOT NULL, arm INTEGER NOT NULL, given INTEGER NOT NULL, PRIMARY KEY (contact, campaign)
) WITHOUT ROWID;
CREATE INDEX assignments_by_campaign ON assignments (campaign, arm, given);
CREATE TABLE complaints (sequence INTEGER PRIMARY KEY, contact INTEGER NOT NULL, at INTEGER NOT NULL);

DELETE FROM cursor;
DELETE FROM names;
DELETE FROM profiles;
DELETE FROM policies;
DELETE FROM touches;
DELETE FROM touch_counts;
DELETE FROM attempt_counts;
DELETE FROM rule_counts;
DELETE FROM contacts;
DELETE FROM consents;
DELETE FROM suppressions;
DELETE FROM campaigns;
DELETE FROM conversions;
DELETE FROM accounts;
)sql"
