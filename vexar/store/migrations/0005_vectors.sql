-- Embeddings of the parts of texts, where the operator wants them.
CREATE TABLE knowledge_vector (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,
  site_id          INTEGER NOT NULL,
  chunk_id         INTEGER NOT NULL,
  model            VARCHAR(200) NOT NULL,
  dims             INTEGER NOT NULL,
  signs            BLOB NOT NULL,
  numbers          BLOB NOT NULL,
  squares          INTEGER NOT NULL
);
CREATE UNIQUE INDEX knowledge_vector_chunk ON knowledge_vector (chunk_id);
CREATE INDEX knowledge_vector_site ON knowledge_vector (site_id, model, id);
