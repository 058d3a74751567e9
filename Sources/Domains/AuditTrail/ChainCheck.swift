import Core
import Crypto
import Postgres
import Wire

/// One pass over a company's chain, from a seal to the end or to a limit.
struct ChainCheck {
    /// A seal that somebody has kept elsewhere.
    struct Known {
        let seq: Int64
        let hash: [UInt8]
    }

    let company: UUID
    let db: Database
    let keys: AuditKeys
    let now: Timestamp

    private struct Seal {
        let seq: Int64
        let event: UUID
        let previous: [UInt8]
        let hash: [UInt8]
        let isSigned: Bool
        /// Nil when the act is gone.
        let canonical: String?
    }

    /// - Parameter progress: told after each thousand how many have been checked.
    func run(
        from: Int64?, upTo limit: Int, known: Known? = nil, progress: (Int) async throws -> Void = { _ in }
    ) async throws -> AuditVerdict {
        let start = try await beginning(from)
        var verdict = AuditVerdict(
            isWhole: true, fromSeq: nil, toSeq: nil, eventsChecked: 0, unsealedEvents: 0, checkedAt: now)
        verdict.cutBeforeSeq = start.cut
        var (next, previous) = (start.seq, start.hash)
        var unsigned: Seal?
        while verdict.eventsChecked < limit {
            let seals = try await seals(
                from: next, limit: min(AuditLimits.rowsAtOnce, limit - verdict.eventsChecked))
            if seals.isEmpty { break }
            for seal in seals {
                if let place = bad(seal, expected: next, after: previous, known) {
                    try await addTail(to: &verdict, next)
                    return found(place, verdict)
                }
                verdict.fromSeq = verdict.fromSeq ?? seal.seq
                verdict.toSeq = seal.seq
                // A good signature vouches for everything before it, whichever key that was signed with.
                unsigned = seal.isSigned ? nil : unsigned ?? seal
                (next, previous) = (seal.seq + 1, seal.hash)
            }
            verdict.eventsChecked += seals.count
            try await progress(verdict.eventsChecked)
        }
        try await addTail(to: &verdict, next)
        return try await judged(verdict, unsigned, known)
    }

    private func judged(_ verdict: AuditVerdict, _ unsigned: Seal?, _ known: Known?) async throws
        -> AuditVerdict
    {
        guard verdict.nextSeq == nil else { return verdict }
        if let unsigned {
            return found(
                Self.place(.badSignature, unsigned, "From here on no seal bears this program's signature."),
                verdict)
        }
        if let known, known.seq > verdict.headSeq ?? 0 {
            let place = AuditVerdict.Place(
                fault: .unknownChain, seq: known.seq, eventId: nil,
                sentence: "The chain ends before the known seal: its end was cut off.")
            return found(place, verdict)
        }
        let stray = try await db.report(
            """
            SELECT a.id FROM audit_log a
             WHERE a.company_id = \(company)
               AND NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.company_id = a.company_id AND s.audit_id = a.id)
               AND NOT EXISTS (SELECT 1 FROM audit_unsealed u WHERE u.audit_id = a.id)
             LIMIT 1
            """, as: tenant)
        guard let row = stray.first else { return verdict }
        let place = AuditVerdict.Place(
            fault: .unsealedEvent, seq: nil, eventId: try row.get("id"),
            sentence: "This change has no seal and does not wait for one: it was put in past the program.")
        return found(place, verdict)
    }

    private var tenant: Tenant { Tenant(company: company) }

    private func found(_ place: AuditVerdict.Place, _ verdict: AuditVerdict) -> AuditVerdict {
        var verdict = verdict
        verdict.isWhole = false
        verdict.firstBadPlace = place
        verdict.nextSeq = nil
        return verdict
    }

    /// Where to begin, and the hash that the first seal must stand on; after a cut the recorded one.
    private func beginning(_ from: Int64?) async throws -> (seq: Int64, hash: [UInt8], cut: Int64?) {
        let cut = try await db.query(
            "SELECT seq, hash FROM audit_cuts WHERE company_id = \(company) ORDER BY seq DESC LIMIT 1",
            as: tenant)
        let cutSeq = try cut.first?.get("seq", as: Int64.self) ?? 0
        let first = cutSeq + 1
        guard let from, from > first else {
            let hash = try cut.first?.get("hash", as: [UInt8].self) ?? AuditChain.beginning
            return (first, hash, cutSeq == 0 ? nil : first)
        }
        let before = try await db.query(
            "SELECT hash FROM audit_seals WHERE company_id = \(company) AND seq = \(from - 1)", as: tenant)
        // Without the seal before it, the first one is found to stand on nothing.
        return (
            from, try before.first?.get("hash", as: [UInt8].self) ?? AuditChain.beginning,
            cutSeq == 0 ? nil : first
        )
    }

    private func seals(from seq: Int64, limit: Int) async throws -> [Seal] {
        let rows = try await db.report(
            """
            SELECT s.seq, s.audit_id, s.prev_hash, s.hash, s.mac,
                   CASE WHEN a.id IS NOT NULL THEN \(fragment: AuditChain.canonical) END AS canonical
              FROM audit_seals s
              LEFT JOIN audit_log a ON a.company_id = s.company_id AND a.id = s.audit_id
             WHERE s.company_id = \(company) AND s.seq >= \(seq)
             ORDER BY s.seq LIMIT \(limit)
            """, as: tenant)
        return try rows.map { row in
            let (seq, hash): (Int64, [UInt8]) = (try row.get("seq"), try row.get("hash"))
            return Seal(
                seq: seq, event: try row.get("audit_id"), previous: try row.get("prev_hash"), hash: hash,
                isSigned: keys.isSigned(company: company, seq: seq, hash: hash, by: try row.get("mac")),
                canonical: try row.get("canonical"))
        }
    }

    private func bad(_ seal: Seal, expected: Int64, after previous: [UInt8], _ known: Known?) -> AuditVerdict
        .Place?
    {
        if seal.seq != expected {
            return AuditVerdict.Place(
                fault: .missingSeal, seq: expected, eventId: nil,
                sentence: "The seals \(expected) to \(seal.seq - 1) are not there.")
        }
        if seal.previous != previous {
            return Self.place(.brokenChain, seal, "It does not continue the seal before it.")
        }
        guard let canonical = seal.canonical else {
            return Self.place(.missingEvent, seal, "The change that was sealed here is not there.")
        }
        if AuditChain.hash(previous, canonical) != seal.hash {
            return Self.place(.altered, seal, "The change is not as it was sealed.")
        }
        if let known, known.seq == seal.seq, known.hash != seal.hash {
            return Self.place(.unknownChain, seal, "This seal has another hash than the known one.")
        }
        return nil
    }

    private static func place(_ fault: AuditVerdict.Fault, _ seal: Seal, _ sentence: String)
        -> AuditVerdict.Place
    {
        AuditVerdict.Place(fault: fault, seq: seal.seq, eventId: seal.event, sentence: sentence)
    }

    /// What waits for a seal, and the newest seal; in this order, so that what is sealed meanwhile is in neither's gap.
    private func addTail(to verdict: inout AuditVerdict, _ next: Int64) async throws {
        let answers = try await db.batch(
            [
                """
                SELECT count(*) AS count, min(a.at) AS oldest
                  FROM audit_unsealed u
                  JOIN audit_log a ON a.company_id = \(company) AND a.id = u.audit_id
                 WHERE u.company_id = \(company)
                """,
                """
                SELECT seq, encode(hash, 'hex') AS hash
                  FROM audit_seals WHERE company_id = \(company) ORDER BY seq DESC LIMIT 1
                """,
            ], as: tenant)
        if let head = answers[1].first {
            verdict.headSeq = try head.get("seq")
            verdict.headHash = try head.get("hash")
            if let seq = verdict.headSeq, seq >= next { verdict.nextSeq = next }
        }
        verdict.unsealedEvents = try answers[0][0].get("count")
        verdict.oldestUnsealedAt = try answers[0][0].get("oldest")
    }
}
