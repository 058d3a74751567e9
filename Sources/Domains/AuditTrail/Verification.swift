import API
import Core
import Crypto
import Postgres
import Wire

/// Whether the record is as it was written: every seal is computed anew, and every act must have one.
enum Verification {
    /// Seals checked in one answer; what is longer is asked for piece by piece.
    static let sealsMax = 20_000

    @RouteList static var routes: [Route] {
        GET("/v1/audit-events/verify", "Check that the record is whole", .can(.auditRead), verify)
            .describe(
                "Computes the chain of hashes anew and names the first bad place. One answer covers up to "
                    + "\(sealsMax) seals: go on from `next_seq` until it is null, or let a job do it (POST "
                    + "/v1/audit-verifications). Give `known_seq` and `known_hash` of "
                    + "an earlier answer, kept elsewhere, to find out whether the chain was replaced as a whole or cut "
                    + "off at its end."
            ).operation("verifyAuditEvents")
    }

    struct Question: Codable, Sendable {
        let fromSeq: Int64?
        let knownSeq: Int64?
        let knownHash: String?

        /// The seal that must be in the chain, if one was named.
        func known() throws(Problem) -> ChainCheck.Known? {
            guard let seq = knownSeq else { return nil }
            guard let hash = knownHash.flatMap({ Hex.decode($0) }), hash.count == 32 else {
                throw Problem.unprocessable([
                    .parameter(
                        "known_hash", "invalid", "must be the 64 hexadecimal digits of the hash of known_seq")
                ])
            }
            return ChainCheck.Known(seq: seq, hash: hash)
        }
    }

    static func verify(_ call: Call, _ question: Query<Question>) async throws -> Single<AuditVerdict> {
        try await verdict(question.value, on: call.company, call)
    }

    static func verdict(_ question: Question, on company: UUID, _ call: Call) async throws -> Single<
        AuditVerdict
    > {
        let known = try question.known()
        let check = ChainCheck(
            company: company, db: call.db.database, keys: call.environment[AuditKeys.self], now: call.now)
        return Single(try await check.run(from: question.fromSeq, upTo: sealsMax, known: known))
    }
}

/// What verifying has found.
struct AuditVerdict: Codable, Sendable, FieldNotes {
    enum Fault: String, Codable, CaseIterable, Sendable {
        /// A seal is not there.
        case missingSeal = "missing_seal"
        /// The act a seal is for is not there.
        case missingEvent = "missing_event"
        /// The act is not as it was sealed, or the seal is not as it was made.
        case altered
        /// A seal does not continue the one before it.
        case brokenChain = "broken_chain"
        /// The newest seals were not made by this program with its key.
        case badSignature = "bad_signature"
        /// An act that no seal covers and that does not wait for one.
        case unsealedEvent = "unsealed_event"
        /// The chain does not hold the hash that was known.
        case unknownChain = "unknown_chain"
    }

    struct Place: Codable, Sendable {
        let fault: Fault
        let seq: Int64?
        let eventId: UUID?
        let sentence: String
    }

    var isWhole: Bool
    var firstBadPlace: Place?
    var fromSeq: Int64?
    var toSeq: Int64?
    var eventsChecked: Int
    var nextSeq: Int64?
    var headSeq: Int64?
    var headHash: String?
    var unsealedEvents: Int
    var oldestUnsealedAt: Timestamp?
    var cutBeforeSeq: Int64?
    let checkedAt: Timestamp

    static let fieldNotes = [
        "is_whole": "Nothing bad was found in the part that was checked.",
        "next_seq": "Where to go on; null when the end was reached.",
        "head_seq": "The newest seal. Keep it and `head_hash` elsewhere, to hold later answers against it.",
        "unsealed_events": "Changes of the last moment, which wait for their seal.",
        "cut_before_seq": "What came before was deleted when its retention ended, and this is recorded.",
    ]
}
