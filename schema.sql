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
  settings         MEDIUMTEXT NOT NULL,                      -- JSON, the fields of vexar/sites/settings.py SiteSettings
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
  changed_ms       BIGINT NOT NULL,                          -- a message, mode, block or close: what live streams look for
  digested_seq     INTEGER NOT NULL DEFAULT 0,               -- counted and made findable for operators up to this number; -1: not even contact_words
  contact_words    VARCHAR(600) NOT NULL DEFAULT '',         -- name, email and phone as the operators' search compares them
  reviewed_seq     INTEGER NOT NULL DEFAULT 0                -- looked at for unanswered questions up to this number
);
CREATE UNIQUE INDEX visitor_session ON visitor (site_id, session_id);
CREATE INDEX visitor_changed ON visitor (changed_ms);
CREATE INDEX visitor_contact ON visitor (site_id, contact_words);
CREATE INDEX visitor_lead ON visitor (site_id, email, phone);

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
  closed_ms        BIGINT,                                   -- null while open
  waiting_ms       BIGINT,                                   -- since when a person is wanted, until one has replied; null: nobody was asked for
  accepted_ms      BIGINT,                                   -- when mode last became operator; null: never
  visitor_said_ms  BIGINT,                                   -- the visitor's newest message; null: none
  operator_said_ms BIGINT,                                   -- a person's newest message; null: none
  first_reply_ms   BIGINT,                                   -- from the wish for a person (or the take-over) to the first reply, ms; null: none yet
  clock_ms         BIGINT,                                   -- when the next of the four clocks has to be looked at; null: none runs
  unread_count     INTEGER NOT NULL DEFAULT 0,               -- visitor messages no operator has seen
  offered          VARCHAR(500) COLLATE ascii_bin NOT NULL DEFAULT '',  -- while waiting: operator ids asked so far, "3,7", the last one now; empty: everybody is
  is_answered      TINYINT NOT NULL DEFAULT 0                -- the AI has said something in it; kept by the digest
);
CREATE INDEX conversation_visitor ON conversation (visitor_id, id);
CREATE INDEX conversation_site ON conversation (site_id, changed_ms);
CREATE INDEX conversation_created ON conversation (site_id, created_ms);
CREATE INDEX conversation_rated ON conversation (site_id, rated_ms);
CREATE INDEX conversation_clock ON conversation (clock_ms);

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
  knowledge        VARCHAR(8) COLLATE ascii_bin NOT NULL DEFAULT '', -- the reply rests on it: known; not: missing; the model did not take what was found: rejected; empty: nobody can say
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
  visitor_id       INTEGER,                                  -- whose it is, or was sent to; null for an operator's until then
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
  created_ms       BIGINT NOT NULL,
  operator_id      INTEGER                                   -- who blocked; null: the command line
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
  created_ms       BIGINT NOT NULL,
  password_hash    VARCHAR(200) COLLATE ascii_bin,           -- scrypt with its parameters; null: cannot sign in with a password yet
  is_active        TINYINT NOT NULL DEFAULT 1                -- 0: removed from the team; the row stays for the name on old messages
);
CREATE UNIQUE INDEX operator_email ON operator (email);

-- Which sites an operator works for.
CREATE TABLE operator_site (
  operator_id      INTEGER NOT NULL,
  site_id          INTEGER NOT NULL,
  can_chat         TINYINT NOT NULL DEFAULT 1,               -- take conversations and write to visitors
  can_view_conversations TINYINT NOT NULL DEFAULT 1,         -- read conversations, leads, ratings, analytics
  can_edit         TINYINT NOT NULL DEFAULT 0,               -- settings, knowledge, nudges, canned replies
  PRIMARY KEY (operator_id, site_id)
) WITHOUT ROWID;

-- Somebody signed in: a console session or an API session. Removed on sign-out and when the password changes.
CREATE TABLE operator_session (
  token_hash       VARCHAR(64) COLLATE ascii_bin NOT NULL PRIMARY KEY,  -- SHA-256 of the token, hex
  operator_id      INTEGER NOT NULL,
  created_ms       BIGINT NOT NULL,
  until_ms         BIGINT NOT NULL                           -- not valid any more from then on
) WITHOUT ROWID;
CREATE INDEX operator_session_operator ON operator_session (operator_id);

-- A link that works once: to make the first owner, to accept an invitation, to set a new password.
CREATE TABLE one_time_link (
  token_hash       VARCHAR(64) COLLATE ascii_bin NOT NULL PRIMARY KEY,  -- SHA-256 of the token, hex
  purpose          VARCHAR(8) COLLATE ascii_bin NOT NULL,    -- owner, invite or password
  operator_id      INTEGER,                                  -- whom it is for; null for purpose owner
  until_ms         BIGINT NOT NULL,                          -- not valid any more from then on
  created_ms       BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX one_time_link_operator ON one_time_link (operator_id);

-- Failed logins of an account or an address, which block longer and longer.
CREATE TABLE login_failure (
  name             VARCHAR(64) COLLATE ascii_bin NOT NULL PRIMARY KEY,  -- SHA-256 of account:email or address:ip
  failures         INTEGER NOT NULL,                         -- in a row
  failed_ms        BIGINT NOT NULL,                          -- the last one
  blocked_until_ms BIGINT NOT NULL                           -- 0: not blocked
) WITHOUT ROWID;
CREATE INDEX login_failure_failed ON login_failure (failed_ms);

-- Which operator is there for which site.
CREATE TABLE presence (
  operator_id      INTEGER NOT NULL,
  site_id          INTEGER NOT NULL,
  is_online        TINYINT NOT NULL,                         -- what the operator chose
  seen_ms          BIGINT NOT NULL,                          -- last heartbeat; counts as there for 90 s
  PRIMARY KEY (operator_id, site_id)
) WITHOUT ROWID;
CREATE INDEX presence_site ON presence (site_id, seen_ms);

-- Sessions with an open live stream, known or not; a row counts while it was seen lately.
CREATE TABLE online_session (
  site_id          INTEGER NOT NULL,
  session_id       VARCHAR(128) COLLATE ascii_bin NOT NULL,  -- as in visitor, which may have no row of it yet
  page_url         VARCHAR(2000) NOT NULL,                   -- empty: unknown
  lang             VARCHAR(35) NOT NULL,                     -- BCP 47; empty: unknown
  since_ms         BIGINT NOT NULL,                          -- when the stream was opened
  seen_ms          BIGINT NOT NULL,                          -- when the stream was last known to be open
  PRIMARY KEY (site_id, session_id)
) WITHOUT ROWID;
CREATE INDEX online_session_seen ON online_session (seen_ms);

-- What operators told each other about a conversation; never shown to visitors.
CREATE TABLE note (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation_id  INTEGER NOT NULL,
  operator_id      INTEGER NOT NULL,
  content          MEDIUMTEXT NOT NULL,                      -- plain text
  created_ms       BIGINT NOT NULL
);
CREATE INDEX note_conversation ON note (conversation_id, id);

-- A ready-made reply of a site.
CREATE TABLE canned_reply (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  shortcut         VARCHAR(40) NOT NULL,                     -- typed after a slash
  content          MEDIUMTEXT NOT NULL,                      -- plain text; {name} stands for the visitor's name
  created_ms       BIGINT NOT NULL
);
CREATE UNIQUE INDEX canned_reply_shortcut ON canned_reply (site_id, shortcut);

-- A site's message counts of one day, UTC.
CREATE TABLE site_day (
  site_id          INTEGER NOT NULL,
  day              VARCHAR(10) COLLATE ascii_bin NOT NULL,   -- 2026-11-22
  conversations    INTEGER NOT NULL,                         -- begun on that day
  visitor_messages INTEGER NOT NULL,                         -- messages of role visitor
  assistant_messages INTEGER NOT NULL,                       -- messages of role assistant
  operator_messages INTEGER NOT NULL,                        -- messages of role operator
  PRIMARY KEY (site_id, day)
) WITHOUT ROWID;

-- Which words occur in a conversation, for the operators' search.
CREATE TABLE conversation_term (
  site_id          INTEGER NOT NULL,
  term             VARBINARY(128) NOT NULL,                  -- lower case, without accents, UTF-8
  conversation_id  INTEGER NOT NULL,
  PRIMARY KEY (site_id, term, conversation_id)
) WITHOUT ROWID;
CREATE INDEX conversation_term_conversation ON conversation_term (conversation_id);

-- What only one worker at a time may do.
CREATE TABLE lease (
  name             VARCHAR(40) COLLATE ascii_bin NOT NULL PRIMARY KEY,  -- of the work
  owner            VARCHAR(40) COLLATE ascii_bin NOT NULL,   -- the process that holds it
  until_ms         BIGINT NOT NULL                           -- by the database's clock; past: anybody may take it
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
  length           INTEGER NOT NULL,                         -- number of its terms; 0: not findable (yet)
  created_ms       BIGINT NOT NULL,
  changed_ms       BIGINT NOT NULL,                          -- of its text
  index_version    INTEGER NOT NULL DEFAULT 0,               -- rules its terms were cut by; below 0: claimed
  anchors          MEDIUMTEXT                                -- {heading: fragment} of its page as JSON, or null
);
CREATE INDEX knowledge_entry_site ON knowledge_entry (site_id, id);
CREATE INDEX knowledge_entry_version ON knowledge_entry (index_version);

-- A part of an entry's text, as it is found and cited; a short text is one.
CREATE TABLE knowledge_chunk (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  entry_id         INTEGER NOT NULL,                         -- row of knowledge_entry
  place            INTEGER NOT NULL,                         -- 0, 1, 2... within the entry
  heading          VARCHAR(300) NOT NULL,                    -- the one it stands under, empty: none
  begins           INTEGER NOT NULL,                         -- its first character in the content
  ends             INTEGER NOT NULL,                         -- the one behind its last
  question_terms   INTEGER NOT NULL,                         -- number of terms in the question
  title_terms      INTEGER NOT NULL,                         -- the same for title and heading
  content_terms    INTEGER NOT NULL                          -- the same for the part itself
);
CREATE UNIQUE INDEX knowledge_chunk_place ON knowledge_chunk (entry_id, place);
CREATE INDEX knowledge_chunk_site ON knowledge_chunk (site_id, id);

-- Where a term occurs: the site's own index, the same on every engine.
CREATE TABLE knowledge_term (
  site_id          INTEGER NOT NULL,
  term             VARBINARY(128) NOT NULL,                  -- stemmed, UTF-8
  chunk_id         INTEGER NOT NULL,                         -- row of knowledge_chunk
  in_question      INTEGER NOT NULL,                         -- how often it occurs in the question
  in_title         INTEGER NOT NULL,                         -- the same for the title
  in_content       INTEGER NOT NULL,                         -- the same for the content
  PRIMARY KEY (site_id, term, chunk_id)
) WITHOUT ROWID;
CREATE INDEX knowledge_term_chunk ON knowledge_term (chunk_id);

-- Where a chunk's meaning points, as an embedding model sees it; its length does not count.
CREATE TABLE knowledge_vector (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  chunk_id         INTEGER NOT NULL,                         -- row of knowledge_chunk
  model            VARCHAR(200) NOT NULL,                    -- that made it
  dims             INTEGER NOT NULL,                         -- how many numbers it has
  signs            BLOB NOT NULL,                            -- one bit a dimension: set where the number is below zero
  numbers          BLOB NOT NULL,                            -- one signed byte a dimension, the largest 127
  squares          INTEGER NOT NULL                          -- the sum of the squared numbers
);
CREATE UNIQUE INDEX knowledge_vector_chunk ON knowledge_vector (chunk_id);
CREATE INDEX knowledge_vector_site ON knowledge_vector (site_id, model, id);

-- Questions that ask the same and that the knowledge does not answer. Without asks it names nothing, and is swept.
CREATE TABLE unanswered_group (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  dismissed_ms     BIGINT,                                   -- when an operator wanted to see it no more, or null
  claimed_until_ms BIGINT NOT NULL,                          -- until then somebody is making an entry of it; 0: nobody
  created_ms       BIGINT NOT NULL
);
CREATE INDEX unanswered_group_site ON unanswered_group (site_id);

-- One message (or one of several questions in it) that was not answered. Goes with its message.
CREATE TABLE unanswered_ask (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  group_id         INTEGER NOT NULL,                         -- row of unanswered_group
  visitor_id       INTEGER NOT NULL,
  seq              INTEGER NOT NULL,                         -- of the message
  place            INTEGER NOT NULL,                         -- 0, 1, 2: which question of the message
  conversation_id  INTEGER NOT NULL,
  question         VARCHAR(400) NOT NULL,                    -- as the visitor wrote it
  lang             VARCHAR(35) NOT NULL,                     -- it seems to be in, else the visitor's; empty: unknown
  terms            VARCHAR(900) NOT NULL,                    -- its words as they are compared: JSON {term: weight in percent}
  checked_version  INTEGER NOT NULL,                         -- knowledge_version of the site that did not answer it; -1: unknown
  is_rejected      TINYINT NOT NULL,                         -- 1: only a newer entry can answer it, see run.knowledge
  created_ms       BIGINT NOT NULL                           -- when it was asked
);
CREATE UNIQUE INDEX unanswered_ask_message ON unanswered_ask (visitor_id, seq, place);
CREATE INDEX unanswered_ask_site ON unanswered_ask (site_id, id);
CREATE INDEX unanswered_ask_group ON unanswered_ask (group_id);
CREATE INDEX unanswered_ask_conversation ON unanswered_ask (conversation_id);

-- A site's last crawl; who holds the lease works at it.
CREATE TABLE crawl (
  site_id          INTEGER NOT NULL PRIMARY KEY,             -- row of site
  number           INTEGER NOT NULL,                         -- 1 for the first crawl of the site, then one more each
  is_running       TINYINT NOT NULL,                         -- ordered, and not at its end
  owner            VARCHAR(40) COLLATE ascii_bin NOT NULL,   -- the process at work; empty: none yet
  lease_until_ms   BIGINT NOT NULL,                          -- by the database's clock; past: anybody may go on
  fetched_bytes    BIGINT NOT NULL,                          -- of all answers so far
  outcome          VARCHAR(8) COLLATE ascii_bin NOT NULL,    -- complete, capped, stopped, failed; empty while it runs
  detail           VARCHAR(200) NOT NULL,                    -- why it failed or what was capped
  started_ms       BIGINT NOT NULL,                          -- when it was ordered
  ended_ms         BIGINT NOT NULL                           -- 0: not yet
) WITHOUT ROWID;
CREATE INDEX crawl_free ON crawl (is_running, lease_until_ms);

-- An address that a crawl met.
CREATE TABLE crawl_page (
  site_id          INTEGER NOT NULL,
  url_hash         VARCHAR(64) COLLATE ascii_bin NOT NULL,   -- BLAKE2b of the address, hex
  url              VARCHAR(1000) NOT NULL,                   -- in its one spelling
  depth            INTEGER NOT NULL,                         -- links from the start page
  is_listed        TINYINT NOT NULL,                         -- a sitemap names it
  found_number     INTEGER NOT NULL,                         -- the last crawl that met it
  done_number      INTEGER NOT NULL,                         -- the last crawl that read it
  outcome          VARCHAR(10) COLLATE ascii_bin NOT NULL,   -- what became of it: docs/operating.md; empty: not read yet
  digest           VARCHAR(32) COLLATE ascii_bin NOT NULL,   -- of title and text, hex; empty: none; removed: with its entry
  entry_id         INTEGER,                                  -- row of knowledge_entry it became, or null
  PRIMARY KEY (site_id, url_hash)
) WITHOUT ROWID;
CREATE INDEX crawl_page_next ON crawl_page (site_id, found_number, done_number, depth);
