-- Who asked for a copy of data is told when it is there, in the company she asked from; her request itself may be of
-- none.
ALTER TABLE privacy_requests ADD COLUMN asked_in uuid;
