import API
import Wire

/// From where somebody comes: what events, sessions and mails say about it.
struct Visit: Sendable {
    let address: IPAddress
    let userAgent: String
    let requestId: String?

    init(_ call: Call) {
        address = call.request.clientAddress
        // A client may send what it likes; what is stored has a bound and no control characters.
        let text = call.request.header("user-agent") ?? ""
        userAgent = String(
            text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(300).map(
                Character.init))
        requestId = call.requestId
    }

    var place: String { address.description }
    var device: String { DeviceName.of(userAgent) }
}
