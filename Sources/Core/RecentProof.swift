import API

/// The port by which a domain asks for a fresh proof of who is calling, before what cannot be taken back.
public struct RecentProof: Sendable {
    /// Throws `reauthentication-required` unless the person has proven who she is within the last quarter of an hour,
    /// `session-required` for a program, and refuses who works in another's name.
    public let require: @Sendable (Call) async throws -> Void

    public init(require: @escaping @Sendable (Call) async throws -> Void) { self.require = require }
}

extension ProblemCode {
    public static let reauthenticationRequired = ProblemCode(
        "reauthentication-required", 403, "Prove again who you are",
        advice: "Send the password or a code to /v1/auth/reauthentication, then repeat the request.")
    public static let sessionRequired = ProblemCode(
        "session-required", 403, "Only a signed-in person may do this",
        advice: "Use an access token of a login; an API key cannot do it.")
    public static let notInAnothersName = ProblemCode(
        "not-in-anothers-name", 403, "This cannot be done in another's name",
        advice: "What concerns the account itself is left to its owner. Use your own token.")
}
