import API
import Postgres
import Wire

/// One step of a sequence: what is done, after a pause that begins with the step before.
struct SequenceStep: Codable, Sendable, FieldNotes {
    let kind: Kind
    let waitHours: Whole<0, 8_760>?
    let subject: Text<250>?
    let body: Prose<20_000>?
    let field: Field?
    let value: Text<40>?

    enum Kind: String, Codable, CaseIterable, SQLBindable, Sendable {
        case email, activity, field
    }

    /// What of a contact a step may set.
    enum Field: String, Codable, CaseIterable, Sendable { case lifecycle }

    static let fieldNotes = [
        "kind":
            "`email` sends a letter, `activity` plans a call for the contact's owner, `field` sets a field of the contact.",
        "wait_hours":
            "After the step before, or after the enrolment. Letters wait further for the contact's working hours.",
        "subject": "`{{first_name}}` and `{{name}}` stand for the contact's.",
    ]

    /// What is wrong with the step in that place.
    func faults(_ index: Int) -> [Fault] {
        switch kind {
        case .email where subject == nil || body == nil:
            [.at("/steps/\(index)/subject", "required", "a letter has a subject and a body")]
        case .activity where subject == nil:
            [.at("/steps/\(index)/subject", "required", "says what is to be done")]
        case .field where field == nil || value == nil || ContactStage(rawValue: value?.text ?? "") == nil:
            [.at("/steps/\(index)/value", "not-one-of", "must be a lifecycle of contacts")]
        default: []
        }
    }
}

/// The lifecycles that a step may set.
enum ContactStage: String, CaseIterable {
    case subscriber, lead, qualified, opportunity, customer, former, other
}

struct Sequence: Codable, Sendable {
    let id: UUID
    let name: String
    let description: String?
    let isActive: Bool
    let current: Int
    let steps: [SequenceStep]
    let triggers: [String]
    let dailyMax: Int
    let fromHour: Int
    let toHour: Int
    let activeCount: Int
    let createdBy: UUID?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

/// The events that enrol the contact they are about.
enum SequenceTrigger: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, Sendable {
    case leadCreated = "lead.created"
    case formSubmitted = "form.submitted"
    case stageChanged = "deal.stage_changed"
}

struct NewSequence: Codable, Sendable {
    let name: Text<120>
    let description: Prose<2_000>?
    let steps: UpTo<30, SequenceStep>
    let triggers: UpTo<3, SequenceTrigger>?
    let dailyMax: Whole<1, 10_000>?
    let fromHour: Whole<0, 23>?
    let toHour: Whole<1, 24>?
    let isActive: Bool?
}

struct SequenceChange: Codable, Sendable {
    let name: Text<120>?
    let description: Clearable<Prose<2_000>>
    let steps: UpTo<30, SequenceStep>?
    let triggers: UpTo<3, SequenceTrigger>?
    let dailyMax: Whole<1, 10_000>?
    let fromHour: Whole<0, 23>?
    let toHour: Whole<1, 24>?
    let isActive: Bool?
}

struct Enrolment: Codable, Sendable {
    let id: UUID
    let sequenceId: UUID
    let number: Int
    let contactId: UUID
    let contactName: String
    let state: State
    let step: Int
    let dueAt: Timestamp
    let stoppedFor: String?
    let endedAt: Timestamp?
    let createdAt: Timestamp

    enum State: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
        case active, paused, finished, stopped
    }
}

extension ProblemCode {
    static let sequenceNameTaken = ProblemCode(
        "sequence-name-taken", 409, "There is a sequence of this name", advice: "Choose another name.")
    static let sequenceInactive = ProblemCode(
        "sequence-inactive", 409, "The sequence is switched off", advice: "Activate it first.")
    static let enrolmentEnded = ProblemCode(
        "enrolment-ended", 409, "The enrolment has come to its end", advice: "Enrol the contact again.")
    static let tooManySequences = ProblemCode(
        "too-many-sequences", 409, "The company has as many sequences as it may", advice: "Delete one first.")
    static let unknownOptOut = ProblemCode(
        "sequence-optout-unknown", 404, "This address stops no letters",
        advice: "Use the address of the letter.")

    static let ofSequences: [ProblemCode] = [
        sequenceNameTaken, sequenceInactive, enrolmentEnded, tooManySequences, unknownOptOut,
    ]
}

extension ConstraintProblem {
    static let ofSequences = [
        ConstraintProblem("sequences_name_key", .sequenceNameTaken, pointer: "/name"),
        ConstraintProblem("sequences_hours_in_order", .invalidRequest, pointer: "/to_hour"),
    ]
}
