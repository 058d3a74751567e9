-- A company that is being deleted may lose its last owner: who deletes the company and then the account need not wait
-- for the grace period to end. Nobody can restore it then.

ALTER TABLE companies DROP CONSTRAINT companies_never_ownerless;
ALTER TABLE companies ADD CONSTRAINT companies_never_ownerless
    CHECK (owner_count >= 1 OR status IN ('deleting', 'deleted'));
