-- Knowledge is found by the parts of its texts. The terms are cut anew, by the server itself.
ALTER TABLE knowledge_entry ADD COLUMN index_version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX knowledge_entry_version ON knowledge_entry (index_version);
UPDATE knowledge_entry SET length = 0;
UPDATE site SET knowledge_version = knowledge_version + 1;
DROP TABLE IF EXISTS knowledge_term;

CREATE TABLE knowledge_chunk (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  entry_id         INTEGER NOT NULL,
  place            INTEGER NOT NULL,
  heading          VARCHAR(300) NOT NULL,
  begins           INTEGER NOT NULL,
  ends             INTEGER NOT NULL,
  question_terms   INTEGER NOT NULL,
  title_terms      INTEGER NOT NULL,
  content_terms    INTEGER NOT NULL
);
CREATE UNIQUE INDEX knowledge_chunk_place ON knowledge_chunk (entry_id, place);
CREATE INDEX knowledge_chunk_site ON knowledge_chunk (site_id, id);

CREATE TABLE knowledge_term (
  site_id          INTEGER NOT NULL,
  term             VARBINARY(128) NOT NULL,
  chunk_id         INTEGER NOT NULL,
  in_question      INTEGER NOT NULL,
  in_title         INTEGER NOT NULL,
  in_content       INTEGER NOT NULL,
  PRIMARY KEY (site_id, term, chunk_id)
) WITHOUT ROWID;
CREATE INDEX knowledge_term_chunk ON knowledge_term (chunk_id);
