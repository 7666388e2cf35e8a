-- Where in its page a heading stands, for pages whose headings can be linked to.
ALTER TABLE knowledge_entry ADD COLUMN anchors MEDIUMTEXT;
