import API

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
}
