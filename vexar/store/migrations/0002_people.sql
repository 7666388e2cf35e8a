-- People: operators who sign in, their presence, notes and ready-made replies; clocks, search and counts.
ALTER TABLE visitor ADD COLUMN digested_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE visitor ADD COLUMN contact_words VARCHAR(600) NOT NULL DEFAULT '';
ALTER TABLE conversation ADD COLUMN waiting_ms BIGINT;
ALTER TABLE conversation ADD COLUMN accepted_ms BIGINT;
ALTER TABLE conversation ADD COLUMN visitor_said_ms BIGINT;
ALTER TABLE conversation ADD COLUMN operator_said_ms BIGINT;
ALTER TABLE conversation ADD COLUMN first_reply_ms BIGINT;
ALTER TABLE conversation ADD COLUMN clock_ms BIGINT;
ALTER TABLE conversation ADD COLUMN unread_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN offered VARCHAR(500) COLLATE ascii_bin NOT NULL DEFAULT '';
ALTER TABLE conversation ADD COLUMN is_answered TINYINT NOT NULL DEFAULT 0;
ALTER TABLE block ADD COLUMN operator_id INTEGER;
ALTER TABLE operator ADD COLUMN password_hash VARCHAR(200) COLLATE ascii_bin;
ALTER TABLE operator ADD COLUMN is_active TINYINT NOT NULL DEFAULT 1;
ALTER TABLE operator_site ADD COLUMN can_chat TINYINT NOT NULL DEFAULT 1;
ALTER TABLE operator_site ADD COLUMN can_view_conversations TINYINT NOT NULL DEFAULT 1;
ALTER TABLE operator_site ADD COLUMN can_edit TINYINT NOT NULL DEFAULT 0;

CREATE TABLE operator_session (
  token_hash       VARCHAR(64) COLLATE ascii_bin NOT NULL PRIMARY KEY,
  operator_id      INTEGER NOT NULL,
  created_ms       BIGINT NOT NULL,
  until_ms         BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX operator_session_operator ON operator_session (operator_id);

CREATE TABLE one_time_link (
  token_hash       VARCHAR(64) COLLATE ascii_bin NOT NULL PRIMARY KEY,
  purpose          VARCHAR(8) COLLATE ascii_bin NOT NULL,
  operator_id      INTEGER,
  until_ms         BIGINT NOT NULL,
  created_ms       BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX one_time_link_operator ON one_time_link (operator_id);

CREATE TABLE login_failure (
  name             VARCHAR(64) COLLATE ascii_bin NOT NULL PRIMARY KEY,
  failures         INTEGER NOT NULL,
  failed_ms        BIGINT NOT NULL,
  blocked_until_ms BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX login_failure_failed ON login_failure (failed_ms);

CREATE TABLE presence (
  operator_id      INTEGER NOT NULL,
  site_id          INTEGER NOT NULL,
  is_online        TINYINT NOT NULL,
  seen_ms          BIGINT NOT NULL,
  PRIMARY KEY (operator_id, site_id)
) WITHOUT ROWID;
CREATE INDEX presence_site ON presence (site_id, seen_ms);

CREATE TABLE online_session (
  site_id          INTEGER NOT NULL,
  session_id       VARCHAR(128) COLLATE ascii_bin NOT NULL,
  page_url         VARCHAR(2000) NOT NULL,
  lang             VARCHAR(35) NOT NULL,
  since_ms         BIGINT NOT NULL,
  seen_ms          BIGINT NOT NULL,
  PRIMARY KEY (site_id, session_id)
) WITHOUT ROWID;
CREATE INDEX online_session_seen ON online_session (seen_ms);

CREATE TABLE note (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation_id  INTEGER NOT NULL,
  operator_id      INTEGER NOT NULL,
  content          MEDIUMTEXT NOT NULL,
  created_ms       BIGINT NOT NULL
);
CREATE INDEX note_conversation ON note (conversation_id, id);

CREATE TABLE canned_reply (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  shortcut         VARCHAR(40) NOT NULL,
  content          MEDIUMTEXT NOT NULL,
  created_ms       BIGINT NOT NULL
);
CREATE UNIQUE INDEX canned_reply_shortcut ON canned_reply (site_id, shortcut);

CREATE TABLE site_day (
  site_id          INTEGER NOT NULL,
  day              VARCHAR(10) COLLATE ascii_bin NOT NULL,
  conversations    INTEGER NOT NULL,
  visitor_messages INTEGER NOT NULL,
  assistant_messages INTEGER NOT NULL,
  operator_messages INTEGER NOT NULL,
  PRIMARY KEY (site_id, day)
) WITHOUT ROWID;

CREATE TABLE conversation_term (
  site_id          INTEGER NOT NULL,
  term             VARBINARY(128) NOT NULL,
  conversation_id  INTEGER NOT NULL,
  PRIMARY KEY (site_id, term, conversation_id)
) WITHOUT ROWID;
CREATE INDEX conversation_term_conversation ON conversation_term (conversation_id);

CREATE TABLE lease (
  name             VARCHAR(40) COLLATE ascii_bin NOT NULL PRIMARY KEY,
  owner            VARCHAR(40) COLLATE ascii_bin NOT NULL,
  until_ms         BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX conversation_created ON conversation (site_id, created_ms);
CREATE INDEX conversation_rated ON conversation (site_id, rated_ms);
CREATE INDEX conversation_clock ON conversation (clock_ms);
CREATE INDEX visitor_contact ON visitor (site_id, contact_words);
CREATE INDEX visitor_lead ON visitor (site_id, email, phone);

-- Since when they wait, and what was said when, was not written down: every clock starts where the last thing happened.
UPDATE conversation SET waiting_ms = changed_ms WHERE is_waiting = 1;
UPDATE conversation SET accepted_ms = changed_ms, operator_said_ms = changed_ms WHERE mode = 'operator';
UPDATE conversation SET clock_ms = changed_ms WHERE closed_ms IS NULL AND (is_waiting = 1 OR mode = 'operator');
-- Their contact has to be made findable, too, even where they have never written.
UPDATE visitor SET digested_seq = -1;
-- Who spoke last was not written down; by the index of senders.
UPDATE conversation SET
  visitor_said_ms = (SELECT MAX(message.created_ms) FROM message WHERE message.visitor_id = conversation.visitor_id
    AND message.role = 'visitor' AND message.conversation_id = conversation.id),
  operator_said_ms = (SELECT MAX(message.created_ms) FROM message WHERE message.visitor_id = conversation.visitor_id
    AND message.role = 'operator' AND message.conversation_id = conversation.id);


CREATE TABLE crawl (
  site_id          INTEGER NOT NULL PRIMARY KEY,
  number           INTEGER NOT NULL,
  is_running       TINYINT NOT NULL,
  owner            VARCHAR(40) COLLATE ascii_bin NOT NULL,
  lease_until_ms   BIGINT NOT NULL,
  fetched_bytes    BIGINT NOT NULL,
  outcome          VARCHAR(8) COLLATE ascii_bin NOT NULL,
  detail           VARCHAR(200) NOT NULL,
  started_ms       BIGINT NOT NULL,
  ended_ms         BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX crawl_free ON crawl (is_running, lease_until_ms);


CREATE TABLE crawl_page (
  site_id          INTEGER NOT NULL,
  url_hash         VARCHAR(64) COLLATE ascii_bin NOT NULL,
  url              VARCHAR(1000) NOT NULL,
  depth            INTEGER NOT NULL,
  is_listed        TINYINT NOT NULL,
  found_number     INTEGER NOT NULL,
  done_number      INTEGER NOT NULL,
  outcome          VARCHAR(10) COLLATE ascii_bin NOT NULL,
  digest           VARCHAR(32) COLLATE ascii_bin NOT NULL,
  entry_id         INTEGER,
  PRIMARY KEY (site_id, url_hash)
) WITHOUT ROWID;
CREATE INDEX crawl_page_next ON crawl_page (site_id, found_number, done_number, depth);
