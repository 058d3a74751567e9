import API
import Core
import Wire

/// The values of custom fields of tasks.
enum TaskCustom {
    /// The values as they may be stored, or the faults of all of them.
    static func checked(_ values: [String: JSON], isNew: Bool, project: UUID, _ call: Call) async throws
        -> JSON
    {
        var object = JSON.Object()
        for (key, value) in values.sorted(by: { $0.key < $1.key }) where !(isNew && value.isNull) {
            object[key] = value
        }
        if JSON.object(object).description.utf8.count > TaskLimits.customBytesMax {
            throw Problem.unprocessable("/custom", "too-long", "may take \(TaskLimits.customBytesMax) bytes")
        }
        // Of a change only what is sent is checked, and null still says that a value goes.
        let checked = try await call.environment[CustomFields.self].checked(
            .object(object), over: isNew ? JSON?.none : .some([:]), of: "task", scope: project,
            company: try call.company)
        guard !isNew, case .object(var kept) = checked else { return checked }
        for (key, _) in object.members where kept[key] == nil { kept[key] = .null }
        return .object(kept)
    }
}
