import API
import Postgres
import Wire

extension Call {
    /// Who acts in this call, for the record. A key is named, and the person it belongs to stands behind it.
    public var actor: Audit.Actor {
        let address = request.clientAddress.description
        guard let principal else {
            return Audit.Actor(.user, id: nil, address: address, requestId: requestId)
        }
        if let key = principal.apiKeyId {
            return Audit.Actor(
                .apiKey, id: key, behind: principal.userId, address: address, requestId: requestId)
        }
        return Audit.Actor(
            .user, id: principal.userId, behind: principal.impersonatorId, address: address,
            requestId: requestId)
    }

    /// The statements that record what an operator changes for the whole installation; the transaction goes on as the
    /// caller's company.
    public func installationRecord(_ action: String, of name: String, _ after: JSON) -> [SQL] {
        var object = after.objectValue ?? JSON.Object()
        object["name"] = .string(name)
        let entry = Audit.Entry(action, on: "installation", nil, after: .object(object))
        return [
            Transaction.become(Audit.installation), Audit.sql(entry, by: actor, company: Audit.installation),
            Transaction.become(principal?.companyId),
        ]
    }
}
