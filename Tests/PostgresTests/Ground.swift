import CLinux
import Glibc
import Loop
import Postgres
import TestCluster
import Testing
import Wire

/// A database with two tenants' notes, and a way in.
final class Ground: Sendable {
    static let loops = LoopGroup(count: 2)
    let test: TestDatabase
    let database: Database

    static let first = UUID(high: 1, low: 1)
    static let second = UUID(high: 2, low: 2)

    init(
        url: ((TestDatabase) -> String)? = nil, adjust: (inout DatabaseConfiguration) -> Void = { _ in }
    ) async throws {
        test = try await TestCluster.shared.database(like: "postgres_tests") { _ = try $0.psql(Self.schema) }
        var configuration = DatabaseConfiguration(url: url?(test) ?? test.url)
        adjust(&configuration)
        database = Database(configuration, loops: Self.loops)
    }

    deinit {
        let database = database
        Task { await database.close() }
    }

    static let schema = """
        DO $$ BEGIN CREATE ROLE infinity_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
        CREATE TYPE mood AS ENUM ('calm', 'glad');
        CREATE TABLE notes (company_id uuid NOT NULL, id uuid NOT NULL, text text NOT NULL, weight int NOT NULL DEFAULT 0,
            CONSTRAINT notes_pkey PRIMARY KEY (company_id, id),
            CONSTRAINT notes_text_unique UNIQUE (company_id, text),
            CONSTRAINT notes_weight_not_negative CHECK (weight >= 0));
        ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
        ALTER TABLE notes FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON notes
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
        GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO infinity_app;
        CREATE TABLE counters (name text PRIMARY KEY, value bigint NOT NULL);
        GRANT SELECT, INSERT, UPDATE, DELETE ON counters TO infinity_app;
        INSERT INTO counters VALUES ('a', 0), ('b', 0);
        INSERT INTO notes SELECT '00000000-0000-0001-0000-000000000001', gen_random_uuid(), 'first ' || n, n
            FROM generate_series(1, 10) n;
        INSERT INTO notes SELECT '00000000-0000-0002-0000-000000000002', gen_random_uuid(), 'second ' || n, n
            FROM generate_series(1, 20) n;
        """
}

/// Asks again until the answer is yes; fails when it has not become so in time.
func eventually(
    within limit: Duration = .seconds(15), _ claim: String, _ holds: () async throws -> Bool,
    at location: SourceLocation = #_sourceLocation
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("\(claim): not within \(limit)", sourceLocation: location)
}

/// The error that `work` throws.
func failure(
    at location: SourceLocation = #_sourceLocation, _ work: () async throws -> some Any
) async throws -> DatabaseError {
    do {
        _ = try await work()
    } catch let error as DatabaseError {
        return error
    }
    Issue.record("nothing failed", sourceLocation: location)
    throw CancellationError()
}

extension DatabaseError: CustomTestStringConvertible {
    /// A failed test shows all that is known.
    public var testDescription: String { debugDescription }
}
