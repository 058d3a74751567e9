import API
import Core
import Wire

/// The values of custom fields of clients and contacts.
enum RecordCustom {
    /// The values of a new record as they are stored, or the faults of all of them.
    @inline(never)
    static func new(_ values: [String: JSON]?, _ kind: CRMRecord, _ call: Call) async throws -> JSON {
        try await call.environment[CustomFields.self].sent(
            values ?? [:], isNew: true, upTo: ContactLimits.customBytesMax, of: kind.rawValue,
            company: call.company)
    }

    /// The values of a change over those there were.
    @inline(never)
    static func changed(_ values: [String: JSON], over stored: JSON, _ kind: CRMRecord, _ call: Call)
        async throws -> JSON
    {
        var object = JSON.Object()
        for (key, value) in values.sorted(by: { $0.key < $1.key }) { object[key] = value }
        let checked = try await call.environment[CustomFields.self].checked(
            .object(object), over: stored, of: kind.rawValue, scope: nil, company: try call.company)
        if checked.description.utf8.count > ContactLimits.customBytesMax {
            throw Problem.unprocessable(
                "/custom", "too-long", "may take \(ContactLimits.customBytesMax) bytes")
        }
        return checked
    }
}
