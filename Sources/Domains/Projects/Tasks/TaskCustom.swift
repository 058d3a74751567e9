import API
import Wire

/// The values of custom fields of tasks.
enum TaskCustom {
    /// The values as they may be stored, or the faults of all of them.
    static func checked(_ values: [String: JSON], isNew: Bool, project: UUID, _ call: Call) async throws -> JSON {
        var object = JSON.Object()
        for (key, value) in values.sorted(by: { $0.key < $1.key }) where !(isNew && value.isNull) { object[key] = value }
        if JSON.object(object).description.utf8.count > TaskLimits.customBytesMax {
            throw Problem.unprocessable("/custom", "too-long", "may take \(TaskLimits.customBytesMax) bytes")
        }
        return .object(object)
    }
}
