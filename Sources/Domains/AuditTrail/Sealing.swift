import Core
import Crypto
import Postgres
import Wire

/// Puts acts into their company's chain, within a second of their commit, in the order they are found.
///
/// One instance at a time does it, by a lock that ends with its transaction: there is nothing to take over when it
/// dies. An act that commits late is sealed late; none can be passed over, because it waits in a queue until it is.
enum Sealing {
    /// Acts a round takes: their texts are held in memory at once.
    static let actsAtOnce = 1000
    /// Any number that no other advisory lock of the program has.
    private static let lock: Int64 = 0x61_75_64_69_74

    static let worker = Worker("audit-seal", every: .milliseconds(300)) { work in
        let more = try await round(work.database, work.environment[AuditKeys.self])
        return more ? .more : .idle
    }

    /// True when there may be more to seal.
    static func round(_ db: Database, _ keys: AuditKeys) async throws -> Bool {
        let waiting = try await db.query("SELECT 1 AS one FROM audit_unsealed LIMIT 1")
        if waiting.isEmpty { return false }
        return try await db.transaction(deadline: .seconds(60)) { tx in
            let claimed = try await claim(in: tx)
            try await seal(claimed, keys, in: tx)
            return claimed.count == actsAtOnce
        }
    }

    private struct Act {
        let id: UUID
        let company: UUID
    }

    /// The oldest that wait; none while another instance is at it. The lock is taken by a statement of its own, so that
    /// what the last holder has sealed is seen.
    private static func claim(in tx: Transaction) async throws -> [Act] {
        let answers = try await tx.batch([
            "SELECT pg_try_advisory_xact_lock(\(lock)) AS is_mine",
            "SELECT audit_id, company_id FROM audit_unsealed ORDER BY audit_id LIMIT \(actsAtOnce)",
        ])
        guard try answers[0][0].get("is_mine", as: Bool.self) else { return [] }
        return try answers[1].map { Act(id: try $0.get("audit_id"), company: try $0.get("company_id")) }
    }

    private static func seal(_ acts: [Act], _ keys: AuditKeys, in tx: Transaction) async throws {
        if acts.isEmpty { return }
        var ids: [UUID: [UUID]] = [:]
        for act in acts { ids[act.company, default: []].append(act.id) }
        let companies = Array(ids.keys)
        let answers = try await tx.batch(companies.flatMap { look(ids[$0]!, $0) })
        var statements: [SQL] = []
        for (index, company) in companies.enumerated() {
            let (texts, head) = (answers[index * 3 + 1], answers[index * 3 + 2])
            if head.isEmpty {
                statements.append(
                    "INSERT INTO company_upkeep (company_id) VALUES (\(company)) ON CONFLICT (company_id) DO NOTHING"
                )
            }
            statements += [
                Transaction.become(company),
                try seals(ids[company]!, texts, after: head.first, keys, company),
            ]
        }
        statements.append("DELETE FROM audit_unsealed WHERE audit_id = ANY(\(acts.map(\.id)))")
        statements.append(AuditStreamLanes.wake(companies))
        _ = try await tx.batch(statements)
    }

    private static func look(_ ids: [UUID], _ company: UUID) -> [SQL] {
        [
            Transaction.become(company),
            """
            SELECT a.id, \(fragment: AuditChain.canonical) AS canonical
              FROM audit_log a WHERE a.company_id = \(company) AND a.id = ANY(\(ids))
            """,
            "SELECT seq, hash FROM audit_seals WHERE company_id = \(company) ORDER BY seq DESC LIMIT 1",
        ]
    }

    private static func seals(
        _ ids: [UUID], _ texts: Rows, after head: Row?, _ keys: AuditKeys, _ company: UUID
    ) throws -> SQL {
        var canonical: [UUID: String] = [:]
        for row in texts { canonical[try row.get("id")] = try row.get("canonical", as: String.self) }
        var seq = try head?.get("seq", as: Int64.self) ?? 0
        var previous = try head?.get("hash", as: [UInt8].self) ?? AuditChain.beginning
        var (seqs, hashes, before, macs): ([Int64], [String], [String], [String]) = ([], [], [], [])
        for id in ids {
            seq += 1
            // An act that is gone before it was sealed is sealed as nothing: verifying then names the place.
            let hash = AuditChain.hash(previous, canonical[id] ?? "")
            seqs.append(seq)
            before.append(Hex.encode(previous))
            hashes.append(Hex.encode(hash))
            macs.append(Hex.encode(keys.sign(company: company, seq: seq, hash: hash)))
            previous = hash
        }
        return """
            INSERT INTO audit_seals (company_id, seq, audit_id, prev_hash, hash, mac)
            SELECT \(company)::uuid, s.seq, s.audit_id, decode(s.prev_hash, 'hex'), decode(s.hash, 'hex'),
                   decode(s.mac, 'hex')
              FROM unnest(\(seqs)::bigint[], \(ids)::uuid[], \(before)::text[], \(hashes)::text[], \(macs)::text[])
                   AS s (seq, audit_id, prev_hash, hash, mac)
            """
    }
}
