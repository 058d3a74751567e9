-- What is imported or exported in the background by an API key runs with what the key may, not with all its owner may.
ALTER TABLE imports ADD COLUMN permissions_max text[];
ALTER TABLE exports ADD COLUMN permissions_max text[];

COMMENT ON COLUMN imports.permissions_max IS 'what the API key that began it might do; NULL when no key did';
COMMENT ON COLUMN exports.permissions_max IS 'what the API key that began it might do; NULL when no key did';
