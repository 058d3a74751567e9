-- Ends a statement, and with it everything that was sent along, as the problem of this name: a limit can be stated
-- inside the INSERT it limits, so that the row, its record and its event go in one round trip or not at all.
--
--     INSERT INTO teams (…) SELECT … WHERE CASE WHEN (SELECT count(*) …) < 500 THEN TRUE ELSE refuse('too-many-teams') END
CREATE FUNCTION refuse(problem text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION 'refused: %', problem USING ERRCODE = 'check_violation', CONSTRAINT = problem;
END
$$;
