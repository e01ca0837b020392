R"sql(
-- What customers began: messages and calls, one row each. All tables are emptied, so that the log is read anew.

CREATE TABLE inbound (sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, account TEXT NOT NULL, channel TEXT NOT NULL);

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
DELETE FROM campaign_arms;
DELETE FROM recipients;
DELETE FROM assignments;
DELETE FROM complaints;
DELETE FROM conversions;
DELETE FROM accounts;
)sql"
