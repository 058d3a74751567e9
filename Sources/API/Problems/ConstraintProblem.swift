import Postgres

/// What the violation of a constraint means to the caller: one line per constraint, contributed by the domain that
/// owns the table.
public struct ConstraintProblem: Sendable {
    public let constraint: String
    public let code: ProblemCode
    /// The field of the body that is at fault.
    public let pointer: String?
    public let detail: String?

    public init(_ constraint: String, _ code: ProblemCode, pointer: String? = nil, detail: String? = nil) {
        self.constraint = constraint
        self.code = code
        self.pointer = pointer
        self.detail = detail
    }
}

/// Turns what the database says into what the caller is told.
struct DatabaseProblems: Sendable {
    private let byConstraint: [String: ConstraintProblem]

    /// `codes` are what a statement may refuse itself as: `SQL.unless`.
    init(_ constraints: [ConstraintProblem], codes: [ProblemCode]) {
        let refusals = codes.map { ConstraintProblem($0.name, $0) }
        byConstraint = Dictionary((constraints + refusals).map { ($0.constraint, $0) }) { first, _ in first }
    }

    /// Nil when the error is our own mistake: 500, and the log has the rest.
    func problem(for error: DatabaseError) -> Problem? {
        switch error.kind {
        case .unavailable(let retryAfter):
            .unavailable(retryAfterSeconds: max(1, Int(retryAfter.components.seconds)))
        case .timedOut: Problem(.timedOut).header("retry-after", "1")
        case .cancelled: .unavailable(retryAfterSeconds: 1)
        case .serialization:
            .unavailable(retryAfterSeconds: 1, "Others were changing the same things; try again.")
        case .invalidText: Problem(.malformedRequest, "A text in the request cannot be stored.")
        case .invalidValue: Problem(.invalidRequest, "A value in the request is outside what can be stored.")
        case .constraint(_, let name, _): byConstraint[name].map(Self.problem)
        case .forbidden, .undecodable, .other: nil
        }
    }

    private static func problem(for constraint: ConstraintProblem) -> Problem {
        let faults = constraint.pointer.map { pointer in
            [Fault.at(pointer, constraint.code.name, constraint.detail ?? constraint.code.title)]
        }
        return Problem(constraint.code, constraint.detail, faults: faults ?? [])
    }
}
