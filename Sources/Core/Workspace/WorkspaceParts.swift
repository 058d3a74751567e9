import API

/// What all domains have registered, gathered once at the start.
public struct WorkspaceParts: Sendable {
    public let subjects: [Subject]
    public let imports: [ImportKind]
    public let exports: [ExportKind]
    public let calendar: [CalendarSource]

    public init(_ domains: [any Domain.Type]) {
        subjects = domains.flatMap { $0.subjects }
        imports = domains.flatMap { $0.imports }
        exports = domains.flatMap { $0.exports }
        calendar = domains.flatMap { $0.calendarSources }
        for kinds in [subjects.map(\.kind), imports.map(\.kind), exports.map(\.kind), calendar.map(\.kind)] {
            precondition(Set(kinds).count == kinds.count, "a kind is registered twice among \(kinds)")
        }
    }

    public func subject(_ kind: String) -> Subject? { subjects.first { $0.kind == kind } }
    public func importKind(_ kind: String) -> ImportKind? { imports.first { $0.kind == kind } }
    public func exportKind(_ kind: String) -> ExportKind? { exports.first { $0.kind == kind } }
}
