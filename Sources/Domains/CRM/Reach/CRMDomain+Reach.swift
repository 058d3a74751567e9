import API
import Core
import Postgres

/// Segments of contacts, and sequences that reach them.
extension CRMDomain {
    static let reachPart = CRMPart(
        routes: Segments.routes + Sequences.routes + Enrolments.routes + SequenceOptOut.routes,
        problems: [.segmentNameTaken, .segmentCircle, .tooManySegments] + ProblemCode.ofSequences,
        constraints: [ConstraintProblem("crm_segments_name_key", .segmentNameTaken, pointer: "/name")]
            + ConstraintProblem.ofSequences,
        personalData: [
            .none("crm_segments", "filters over the company's records; people are named by ids"),
            .none("crm_segment_members", "who is in which segment, by ids"),
            .none("sequences", "the company's own sequences"),
            .none("sequence_versions", "what their letters say"),
            .none("sequence_enrolments", "who is on his way through a sequence, by ids"),
            .none("sequence_steps", "which steps were taken, by ids"),
            PersonalData(
                "sequence_optouts", "The wish to get no more letters", of: .email("address"),
                erase: .keep("Without it letters would be sent again.")),
        ],
        events: SequenceEvents.all,
        reactions: [SequenceEvents.enrol])
}
