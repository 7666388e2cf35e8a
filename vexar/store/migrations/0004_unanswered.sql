-- Questions that the knowledge did not answer, by the messages that asked them.
ALTER TABLE visitor ADD COLUMN reviewed_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN knowledge VARCHAR(8) COLLATE ascii_bin NOT NULL DEFAULT '';

CREATE TABLE unanswered_group (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  dismissed_ms     BIGINT,
  claimed_until_ms BIGINT NOT NULL,
  created_ms       BIGINT NOT NULL
);
CREATE INDEX unanswered_group_site ON unanswered_group (site_id);

CREATE TABLE unanswered_ask (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  group_id         INTEGER NOT NULL,
  visitor_id       INTEGER NOT NULL,
  seq              INTEGER NOT NULL,
  place            INTEGER NOT NULL,
  conversation_id  INTEGER NOT NULL,
  question         VARCHAR(400) NOT NULL,
  lang             VARCHAR(35) NOT NULL,
  terms            VARCHAR(900) NOT NULL,
  checked_version  INTEGER NOT NULL,
  is_rejected      TINYINT NOT NULL,
  created_ms       BIGINT NOT NULL
);
CREATE UNIQUE INDEX unanswered_ask_message ON unanswered_ask (visitor_id, seq, place);
CREATE INDEX unanswered_ask_site ON unanswered_ask (site_id, id);
CREATE INDEX unanswered_ask_group ON unanswered_ask (group_id);
CREATE INDEX unanswered_ask_conversation ON unanswered_ask (conversation_id);
