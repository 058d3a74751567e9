import API
import Core
import Crypto
import Wire

/// What people may ask of those who hold data about them: a copy, to be forgotten, and what they agreed to; and how
/// long what kind of data is kept.
///
/// Owns privacy_requests, privacy_steps, erased_addresses, consents, retention_policies and legal_holds. Asks Auth to end
/// an account and for a fresh proof of who is calling, Companies to let somebody leave; reads and erases in the tables
/// of all domains, as they declare it.
public enum PrivacyDomain: Domain {
    public static let name = "Privacy"
    public static let summary = "Export and erasure of personal data, retention and consent."

    public static var routes: [Route] {
        Exports.routes + Erasures.routes + Consents.routes + RetentionPolicies.routes + LegalHolds.routes
    }

    public static let permissions: [Permission] = [
        .privacyRead, .privacyWrite, .consentsRead, .consentsWrite,
    ]

    public static let problems = ProblemCode.ofPrivacy

    public static let constraints = [ConstraintProblem("privacy_requests_one_erasure", .erasureRunning)]

    public static let workers = [Exporting.worker]
    public static let jobs = [Exporting.handler, Erasing.handler, RetentionSweep.handler]
    public static let notifications = PrivacyNews.all
    public static let queues = [JobQueue("privacy", concurrency: 2)]
    public static let crons = [RetentionSweep.cron]

    public static func start(_ environment: inout Environment) async throws {
        guard let pepper = environment[Settings.self].passwordPepper.flatMap({ Base64.decode($0.revealed) })
        else {
            preconditionFailure("settings without keys were let through to the start")
        }
        environment.set(ErasedAddresses(pepper: pepper))
    }

    public static let sealed = [
        SealedColumn("privacy_requests", "email_sealed", key: "id") { "privacy request \($0)" }
    ]

    public static let personalData: [PersonalData] =
        PersonalData.ofCore + [
            PersonalData(
                "privacy_requests", "Requests about personal data", of: .user("user_id"),
                .user("requested_by"),
                hiding: ["plan"],
                erase: .keep(
                    "The proof that the request was made and what was done about it. It names the account by its id."
                )),
            .none("privacy_steps", "the steps of erasures: tables and counts"),
            .none(
                "erased_addresses", "keyed digests of addresses whose owners do not want to be known again"),
            PersonalData(
                "consents", "What somebody agreed to, and took back", of: .user("user_id"), .email("email"),
                erase: .keep(
                    "Who asks for consent must be able to prove it, and its withdrawal, for as long as claims may be "
                        + "made.")),
            .none("retention_policies", "how long the company keeps its data"),
            .none("legal_holds", "what the company must keep for now"),
        ]
}
