import API
import Core
import Wire

/// The registered kinds as a caller meets them.
enum WorkspaceKinds {
    static func subject(_ kind: String, _ call: Call) -> Subject? {
        call.environment[WorkspaceParts.self].subject(kind)
    }

    /// The thing, when it exists for the caller; else 404.
    @inline(never)
    static func seen(_ kind: String, _ id: UUID, _ call: Call) async throws -> (
        subject: Subject, head: SubjectHead
    ) {
        guard let subject = subject(kind, call), call.can(subject.permission) else { throw Problem.notFound }
        let head = try await subject.see(call, id)
        guard let head else { throw Problem.notFound }
        return (subject, head)
    }
}
