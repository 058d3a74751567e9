import App
import Core
import Crypto
import Postgres
import TestCluster
import TestSupport
import Testing
import Wire

@testable import AuditTrail

/// The chain under many writers, and what it tells of those who went past the program.
@Suite(.serialized) struct ChainTests {
    /// A database of its own and the keys of its program; the rounds of sealing are the test's to run.
    private struct Ground {
        let test: TestDatabase
        let database: Database
        let company = UUID.v7()
        let keys = AuditKeys(KeyRing([KeyRing.Key(id: "k", secret: [UInt8](repeating: 5, count: 32))!])!)

        init() async throws {
            test = try await TestServer.migratedDatabase()
            database = Database(DatabaseConfiguration(url: test.url), loops: .init(count: 2))
        }

        func act(_ name: String, in tx: Transaction, company: UUID? = nil) async throws {
            try await Audit.record(
                Audit.Entry(name, on: "team", .v7(), before: ["n": 1.5], after: ["n": .string("\u{1}ä\"\\")]),
                by: Audit.Actor(.user, id: .v7(), address: "203.0.113.7"), company: company ?? self.company,
                in: tx)
        }

        func act(_ name: String = "team.created") async throws {
            try await database.transaction(as: Tenant(company: company)) { try await act(name, in: $0) }
        }

        func seal() async throws { while try await Sealing.round(database, keys) {} }

        func verdict(known: ChainCheck.Known? = nil, from: Int64? = nil, limit: Int = .max) async throws
            -> AuditVerdict
        {
            try await ChainCheck(company: company, db: database, keys: keys, now: .now)
                .run(from: from, upTo: limit, known: known)
        }

        /// Some sealed acts, and the fault that is found once `sql` has been run past the program.
        func fault(after sql: String, known: Bool = false) async throws -> (AuditVerdict.Fault?, Int64?) {
            for _ in 1...5 { try await act() }
            try await seal()
            let before = try await verdict()
            #expect(before.isWhole && before.headSeq == 5)
            let head = ChainCheck.Known(seq: 5, hash: Hex.decode(before.headHash ?? "") ?? [])
            _ = try test.psql(sql.replacing("COMPANY", with: "'\(company)'"))
            let verdict = try await verdict(known: known ? head : nil)
            #expect(verdict.isWhole == (verdict.firstBadPlace == nil))
            return (verdict.firstBadPlace?.fault, verdict.firstBadPlace?.seq)
        }
    }

    @Test func `64 writers and two sealers make one chain without a gap`() async throws {
        let ground = try await Ground()
        let others = (1...3).map { _ in UUID.v7() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<64 {
                group.addTask {
                    let company = writer % 2 == 0 ? ground.company : others[writer % 3]
                    for _ in 1...10 {
                        try await ground.database.transaction(as: Tenant(company: company)) {
                            try await ground.act("team.created", in: $0, company: company)
                        }
                    }
                }
            }
            for _ in 1...2 {
                group.addTask {
                    for _ in 1...40 { _ = try await Sealing.round(ground.database, ground.keys) }
                }
            }
            try await group.waitForAll()
        }
        try await ground.seal()
        let verdict = try await ground.verdict()
        #expect(verdict.isWhole, "\(String(describing: verdict.firstBadPlace))")
        #expect(verdict.headSeq == 320)
        #expect(verdict.eventsChecked == 320)
        #expect(
            try await ground.database.query("SELECT count(*) AS n FROM audit_unsealed")[0].get(
                "n", as: Int.self) == 0)
    }

    @Test func `an act that commits late is sealed late, and one that is undone never was`() async throws {
        let ground = try await Ground()
        try await ground.database.transaction(as: Tenant(company: ground.company)) { tx in
            try await ground.act("team.late", in: tx)
            try await ground.act("team.early")
            try await ground.seal()
            #expect(try await ground.verdict().headSeq == 1)
        }
        await #expect(throws: Problemless.self) {
            try await ground.database.transaction(as: Tenant(company: ground.company)) { tx in
                try await ground.act("team.undone", in: tx)
                throw Problemless()
            }
        }
        let before = try await ground.verdict()
        #expect(before.isWhole && before.unsealedEvents == 1)
        try await ground.seal()
        let after = try await ground.verdict()
        #expect(after.isWhole && after.unsealedEvents == 0 && after.headSeq == 2)
    }
    private struct Problemless: Error {}

    @Test func `a chain is checked piece by piece`() async throws {
        let ground = try await Ground()
        for _ in 1...7 { try await ground.act() }
        try await ground.seal()
        let first = try await ground.verdict(limit: 3)
        #expect(first.isWhole && first.nextSeq == 4 && first.toSeq == 3)
        let second = try await ground.verdict(from: first.nextSeq)
        #expect(second.isWhole && second.nextSeq == nil && second.fromSeq == 4 && second.toSeq == 7)
    }

    @Test func `the program cannot change the chain`() async throws {
        let ground = try await Ground()
        try await ground.act()
        try await ground.seal()
        for sql in [
            "UPDATE audit_seals SET seq = 2", "DELETE FROM audit_seals", "TRUNCATE audit_seals",
            "INSERT INTO audit_cuts (company_id, seq, hash, rows, before) SELECT company_id, 1, hash, 1, now() FROM audit_seals",
        ] {
            let error = await #expect(throws: DatabaseError.self) {
                try await ground.database.query("\(unescaped: sql)", as: Tenant(company: ground.company))
            }
            #expect(error?.sqlState == "42501")
        }
    }

    private static let third = "(SELECT audit_id FROM audit_seals WHERE company_id = COMPANY AND seq = 3)"

    @Test(arguments: [
        (
            "UPDATE audit_log SET action = 'team.other' WHERE id = \(third)", AuditVerdict.Fault.altered,
            Int64(3)
        ),
        ("UPDATE audit_log SET before = '{\"n\": 1.50}' WHERE id = \(third)", .altered, 3),
        ("UPDATE audit_log SET at = at + interval '1 microsecond' WHERE id = \(third)", .altered, 3),
        ("DELETE FROM audit_log WHERE id = \(third)", .missingEvent, 3),
        ("DELETE FROM audit_log WHERE id = \(third); DELETE FROM audit_seals WHERE seq = 3", .missingSeal, 3),
        ("UPDATE audit_seals SET prev_hash = sha256('x') WHERE seq = 3", .brokenChain, 3),
        ("UPDATE audit_seals SET mac = sha256('x') WHERE seq >= 3", .badSignature, 3),
    ])
    func `whoever goes past the program is found`(_ sql: String, _ fault: AuditVerdict.Fault, _ seq: Int64)
        async throws
    {
        let found = try await Ground().fault(after: sql)
        #expect(found.0 == fault)
        #expect(found.1 == seq)
    }

    @Test func `a change put in past the program has no seal`() async throws {
        let found = try await Ground().fault(
            after: """
                INSERT INTO audit_log (company_id, id, actor_kind, action, target_type)
                VALUES (COMPANY, '01980000-0000-7000-8000-000000000001', 'system', 'team.forged', 'team')
                """)
        #expect(found.0 == .unsealedEvent)
    }

    @Test func `a chain computed anew is betrayed by its signature`() async throws {
        // The forger knows the form and computes all hashes anew; the key stands outside the database.
        let found = try await Ground().fault(
            after: """
                UPDATE audit_log SET action = 'team.forged' WHERE id = \(Self.third);
                DO $$ DECLARE s record; n bigint; p bytea := decode(repeat('00', 32), 'hex'); h bytea; BEGIN
                FOR s IN SELECT e.seq, a.* FROM audit_seals e JOIN audit_log a ON a.id = e.audit_id
                          WHERE e.company_id = COMPANY ORDER BY e.seq LOOP
                    h := sha256(p || convert_to(jsonb_build_object(
                        'company_id', s.company_id, 'id', s.id,
                        'at', to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                        'actor_kind', s.actor_kind, 'actor_id', s.actor_id, 'behind_id', s.behind_id, 'action', s.action,
                        'target_type', s.target_type, 'target_id', s.target_id, 'before', s.before, 'after', s.after,
                        'address', s.address, 'request_id', s.request_id)::text, 'UTF8'));
                    n := s.seq; UPDATE audit_seals SET prev_hash = p, hash = h WHERE seq = n;
                    p := h;
                END LOOP; END $$
                """)
        #expect(found.0 == .badSignature)
        #expect(found.1 == 3)
    }

    @Test func `an end that was cut off is found by a seal kept elsewhere`() async throws {
        let cut = """
            DELETE FROM audit_log WHERE id IN (SELECT audit_id FROM audit_seals WHERE seq > 3);
            DELETE FROM audit_seals WHERE seq > 3
            """
        #expect(try await Ground().fault(after: cut).0 == nil)
        let found = try await Ground().fault(after: cut, known: true)
        #expect(found.0 == .unknownChain)
        #expect(found.1 == 5)
    }

    @Test func `an act that is gone before it was sealed leaves its trace`() async throws {
        let ground = try await Ground()
        try await ground.act()
        _ = try ground.test.psql("DELETE FROM audit_log")
        try await ground.seal()
        #expect(try await ground.verdict().firstBadPlace?.fault == .missingEvent)
    }
}
