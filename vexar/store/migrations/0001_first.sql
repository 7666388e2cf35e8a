-- Every table of Vexar, for SQLite and MySQL/MariaDB: what a new database gets.
--
-- Written in the words both engines share; vexar/store/schema.py translates the rest:
--   AUTOINCREMENT        MySQL: AUTO_INCREMENT
--   COLLATE ascii_bin    SQLite: dropped, its text compares byte by byte anyway
--   VARBINARY(n)         SQLite: TEXT; on MySQL the only type that does not ignore trailing spaces
--   WITHOUT ROWID        MySQL: dropped, InnoDB tables lie in primary-key order anyway
-- Times end in _ms: milliseconds since 1970 UTC. Switches begin with is_: 0 or 1. Text without COLLATE is
-- utf8mb4 (utf8mb4_bin on MySQL). id is the row's own number; site_id, visitor_id, conversation_id, operator_id
-- name a row of that table; created_ms is when the row was made. No foreign keys: every job locks the visitor's
-- row first, and sites are deleted in slices by the code (docs/decisions.md).

-- A website that embeds the widget.
CREATE TABLE site (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_key         VARCHAR(128) COLLATE ascii_bin NOT NULL,  -- sk_..., public, in the pasted tag
  name             VARCHAR(200) NOT NULL,                    -- what its operators call it
  url              VARCHAR(2000) NOT NULL,                   -- its address on the web
  is_active        TINYINT NOT NULL,                         -- 0: answers 404 site_not_found
  settings         MEDIUMTEXT NOT NULL,                      -- JSON, the fields of vexar/settings.py SiteSettings
  identity_secret  VARCHAR(128) COLLATE ascii_bin NOT NULL,  -- signs user_hash; empty: no verified visitors
  upload_bytes     BIGINT NOT NULL,                          -- sum of its stored images, bytes
  knowledge_version INTEGER NOT NULL,                        -- grows with every change of its knowledge
  created_ms       BIGINT NOT NULL,
  changed_ms       BIGINT NOT NULL                           -- settings or a block of it changed
);
CREATE UNIQUE INDEX site_site_key ON site (site_key);

-- One browser session on one site. Locked first by every job that touches its conversation.
CREATE TABLE visitor (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  session_id       VARCHAR(128) COLLATE ascii_bin NOT NULL,  -- the visitor's only secret
  conversation_id  INTEGER,                                  -- the open one; so there is at most one
  last_seq         INTEGER NOT NULL,                         -- number of its newest message, 0 for none
  handed_seq       INTEGER NOT NULL,                         -- operator messages handed to cursorless clients
  nudged_seq       INTEGER NOT NULL,                         -- proactive messages handed to cursorless clients
  read_seq         INTEGER NOT NULL,                         -- seen by the visitor up to this number
  user_id          VARCHAR(200) NOT NULL,                    -- verified by user_hash; empty: anonymous
  name             VARCHAR(200) NOT NULL,                    -- as the visitor gave it; empty: unknown
  email            VARCHAR(320) NOT NULL,                    -- lower case; empty: unknown
  phone            VARCHAR(40) NOT NULL,                     -- E.164 where it parses; empty: unknown
  lang             VARCHAR(35) NOT NULL,                     -- BCP 47, as the visitor sent it last
  page_url         VARCHAR(2000) NOT NULL,                   -- where the visitor was last
  address          VARCHAR(45) NOT NULL,                     -- IP address seen last; empty where it is not to be trusted
  created_ms       BIGINT NOT NULL,
  changed_ms       BIGINT NOT NULL                           -- a message, mode, block or close: what live streams look for
);
CREATE UNIQUE INDEX visitor_session ON visitor (site_id, session_id);
CREATE INDEX visitor_changed ON visitor (changed_ms);

-- One episode between a visitor and the site. Its messages are the visitor's, from first_seq on.
CREATE TABLE conversation (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  visitor_id       INTEGER NOT NULL,
  mode             VARCHAR(8) COLLATE ascii_bin NOT NULL,    -- ai or operator
  epoch            INTEGER NOT NULL,                         -- grows when a person takes or speaks; a run may store only in its own
  is_waiting       TINYINT NOT NULL,                         -- the visitor asked for a person
  operator_id      INTEGER,                                  -- who has it in mode operator
  first_seq        INTEGER NOT NULL,                         -- number of its first message
  boundary_seq     INTEGER NOT NULL,                         -- last handover; the prompt begins behind it
  messages_count   INTEGER NOT NULL,                         -- stored in it so far
  last_message     VARCHAR(200) NOT NULL,                    -- beginning of the newest text, for lists
  rating_score     INTEGER,                                  -- 1 to 5
  rating_comment   MEDIUMTEXT NOT NULL,                      -- empty: none
  rated_ms         BIGINT,                                   -- null with rating_score
  created_ms       BIGINT NOT NULL,
  changed_ms       BIGINT NOT NULL,                          -- of anything in it: the order of lists
  closed_ms        BIGINT                                    -- null while open
);
CREATE INDEX conversation_visitor ON conversation (visitor_id, id);
CREATE INDEX conversation_site ON conversation (site_id, changed_ms);

-- What was said; never changes after it was stored.
CREATE TABLE message (
  visitor_id       INTEGER NOT NULL,
  seq              INTEGER NOT NULL,                         -- the visitor's own 1, 2, 3... in commit order: `id` on the wire
  conversation_id  INTEGER NOT NULL,
  role             VARCHAR(9) COLLATE ascii_bin NOT NULL,    -- visitor, assistant, operator, system, proactive
  message_id       VARBINARY(256),                           -- the sender's own id, at most 64 characters; null on replies
  content          MEDIUMTEXT NOT NULL,                      -- exactly as it was sent
  image_url        VARCHAR(200) COLLATE ascii_bin,           -- path below /uploads/, or null
  status           VARCHAR(11) COLLATE ascii_bin NOT NULL,   -- complete, stopped, interrupted
  sources          MEDIUMTEXT NOT NULL,                      -- JSON [{title, url}]; empty: none
  operator_id      INTEGER,                                  -- who said it, for role operator
  reply_to         INTEGER,                                  -- on a reply: seq of the visitor's message
  created_ms       BIGINT NOT NULL,
  PRIMARY KEY (visitor_id, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX message_sender_id ON message (visitor_id, role, message_id);

-- The making of one answer to one visitor message; who may change it: docs/runs.md.
CREATE TABLE run (
  visitor_id       INTEGER NOT NULL,
  seq              INTEGER NOT NULL,                         -- of the visitor's message
  message_id       VARBINARY(256) NOT NULL,                  -- of that message: what makes sending exactly once
  site_id          INTEGER NOT NULL,
  conversation_id  INTEGER NOT NULL,
  attempt          INTEGER NOT NULL,                         -- 1, then one more for every new run of this message
  state            VARCHAR(8) COLLATE ascii_bin NOT NULL,    -- waiting, running, ended
  owner            VARCHAR(40) COLLATE ascii_bin NOT NULL,   -- the worker process that holds the lease
  lease_until_ms   BIGINT NOT NULL,                          -- by the database's clock; past: the owner is dead
  epoch            INTEGER NOT NULL,                         -- of the conversation when the run began
  is_stop_asked    TINYINT NOT NULL,                         -- the visitor pressed stop in another worker
  checkpoint       MEDIUMTEXT NOT NULL,                      -- what was said so far; emptied when a reply is stored
  finish_reason    VARCHAR(8) COLLATE ascii_bin NOT NULL,    -- empty until ended
  error_code       VARCHAR(32) COLLATE ascii_bin NOT NULL,   -- with finish_reason error
  reply_seq        INTEGER,                                  -- the stored reply, or null
  tokens_reserved  INTEGER NOT NULL,                         -- of the site's budget, counted while the lease lives
  created_ms       BIGINT NOT NULL,
  changed_ms       BIGINT NOT NULL,                          -- start, checkpoint or end
  PRIMARY KEY (visitor_id, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX run_message ON run (visitor_id, message_id);
CREATE INDEX run_live ON run (state, site_id, lease_until_ms);

-- What a site used of its budgets in one period.
CREATE TABLE budget (
  site_id          INTEGER NOT NULL,
  period           VARCHAR(12) COLLATE ascii_bin NOT NULL,   -- 2026-11 for a month, 2026-11-22 for a day, UTC
  messages         INTEGER NOT NULL,                         -- visitor messages received (months)
  tokens           BIGINT NOT NULL,                          -- prompt and answer tokens settled (days)
  PRIMARY KEY (site_id, period)
) WITHOUT ROWID;

-- An image a visitor or operator uploaded; the file lies below VEXAR_UPLOAD_DIR.
CREATE TABLE upload (
  path             VARCHAR(200) COLLATE ascii_bin NOT NULL PRIMARY KEY,  -- below /uploads/: random 128-bit name and ending
  site_id          INTEGER NOT NULL,
  visitor_id       INTEGER,                                  -- whose it is; null for an operator's
  bytes            BIGINT NOT NULL,                          -- of the stored file
  width            INTEGER NOT NULL,                         -- pixels
  height           INTEGER NOT NULL,                         -- pixels
  is_used          TINYINT NOT NULL,                         -- a message refers to it; the others are swept after a day
  created_ms       BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX upload_sweep ON upload (is_used, created_ms);

-- Who may not write. A row counts while until_ms is null or ahead.
CREATE TABLE block (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  kind             VARCHAR(7) COLLATE ascii_bin NOT NULL,    -- session, ip or email
  value            VARCHAR(320) NOT NULL,                    -- session id, CIDR network or lower-case address
  reason           VARCHAR(500),                             -- public text, or null
  until_ms         BIGINT,                                   -- null: for good
  created_ms       BIGINT NOT NULL
);
CREATE UNIQUE INDEX block_target ON block (site_id, kind, value);

-- A proactive message by page, with variants.
CREATE TABLE nudge_rule (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  path             VARCHAR(500) NOT NULL,                    -- of the page; * stands for any run of characters
  delay_seconds    INTEGER NOT NULL,                         -- on the page before it shows
  variants         MEDIUMTEXT NOT NULL,                      -- JSON [{message, weight}]
  frequency        VARCHAR(8) COLLATE ascii_bin NOT NULL,    -- once, daily or always
  created_ms       BIGINT NOT NULL
);
CREATE INDEX nudge_rule_site ON nudge_rule (site_id, id);

-- What a visitor did with a nudge.
CREATE TABLE nudge_event (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  visitor_id       INTEGER NOT NULL,
  event            VARCHAR(9) COLLATE ascii_bin NOT NULL,    -- shown, clicked, dismissed
  rule_path        VARCHAR(500) NOT NULL,                    -- empty for a person's proactive message
  variant          INTEGER,                                  -- place in the rule's variants, from 0
  message_seq      INTEGER,                                  -- a person's proactive message
  created_ms       BIGINT NOT NULL
);
CREATE INDEX nudge_event_visitor ON nudge_event (visitor_id, created_ms);
CREATE INDEX nudge_event_site ON nudge_event (site_id, created_ms);

-- A person of the site.
CREATE TABLE operator (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  email            VARCHAR(320) NOT NULL,                    -- lower case
  name             VARCHAR(200) NOT NULL,                    -- what visitors read
  avatar_url       VARCHAR(2000),                            -- null: none
  is_owner         TINYINT NOT NULL,                         -- sees and does everything
  key_hash         VARCHAR(64) COLLATE ascii_bin,            -- SHA-256 of the API key, hex; null: none
  created_ms       BIGINT NOT NULL
);
CREATE UNIQUE INDEX operator_email ON operator (email);

-- Which sites an operator works for.
CREATE TABLE operator_site (
  operator_id      INTEGER NOT NULL,
  site_id          INTEGER NOT NULL,
  PRIMARY KEY (operator_id, site_id)
) WITHOUT ROWID;

-- One entry of a site's knowledge.
CREATE TABLE knowledge_entry (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  type             VARCHAR(8) COLLATE ascii_bin NOT NULL,    -- custom, faq or page
  title            VARCHAR(500) NOT NULL,                    -- empty: none
  question         VARCHAR(2000) NOT NULL,                   -- empty unless faq
  content          MEDIUMTEXT NOT NULL,                      -- plain text, what answers are made of
  url              VARCHAR(2000),                            -- the source a visitor is shown, or null
  lang             VARCHAR(35) NOT NULL,                     -- of the stemmer used; empty: unknown
  length           INTEGER NOT NULL,                         -- weighted number of its terms
  created_ms       BIGINT NOT NULL,
  changed_ms       BIGINT NOT NULL                           -- of its text
);
CREATE INDEX knowledge_entry_site ON knowledge_entry (site_id, id);

-- Where a term occurs: the site's own index, the same on every engine.
CREATE TABLE knowledge_term (
  site_id          INTEGER NOT NULL,
  term             VARBINARY(128) NOT NULL,                  -- stemmed, UTF-8
  entry_id         INTEGER NOT NULL,                         -- row of knowledge_entry
  in_question      INTEGER NOT NULL,                         -- how often it occurs in the question
  in_title         INTEGER NOT NULL,                         -- the same for the title
  in_content       INTEGER NOT NULL,                         -- the same for the content
  PRIMARY KEY (site_id, term, entry_id)
) WITHOUT ROWID;
CREATE INDEX knowledge_term_entry ON knowledge_term (entry_id);
