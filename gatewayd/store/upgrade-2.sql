-- From schema 2 to 3. Whatever schema.sql gained since is made here in the same words.

UPDATE meta SET value = '3' WHERE key = 'schema_version';
