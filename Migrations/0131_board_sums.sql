-- The sums of a board are made of the index alone, also the weighted ones.

DROP INDEX deals_of_board;
CREATE INDEX deals_of_board ON deals (company_id, stage_id, rank) INCLUDE (base_minor, probability_bp, owner_id)
    WHERE deleted_at IS NULL AND archived_at IS NULL;
