import Core
import Crypto
import Wire

/// Writes the mails of notifications, each with the way to get no more of them.
struct PostOffice: Sendable {
    let publicURL: String
    let unsubscribing: Unsubscribing

    /// - Parameter unsubscribes: the category its one-click address switches off; nil for what cannot be.
    func mail(
        _ id: UUID, to one: DeliveryCase, subject: String, body: String, link: String?, unsubscribes: String?,
        _ company: UUID
    ) -> Mail.Message {
        var context = ["subject": subject, "body": body]
        if let link { context["link"] = link.hasPrefix("/") ? publicURL + link : link }
        if let unsubscribes {
            let token = unsubscribing.token(for: one.user, unsubscribes, company)
            context["unsubscribe"] = "\(publicURL)/v1/public/unsubscribe/\(token)"
        }
        var message = Mail.Message(
            .notification, to: one.email ?? "", name: one.name, locale: one.locale, context: context,
            company: company)
        message.id = id
        return message
    }
}

/// The addresses that stop mails with one click. They carry whom and what they are for, and a code that nobody else
/// can make; nothing is kept.
struct Unsubscribing: Sendable {
    struct Wish: Sendable, Equatable {
        let company: UUID
        let user: UUID
        let category: String
    }

    /// The newest first; older ones are still good, as mails are read late.
    private let keys: [HMACKey]
    private static let codeLength = 16

    init(_ ring: KeyRing) { keys = ring.deriveAll("notification-unsubscribe").map { HMACKey($0) } }

    func token(for user: UUID, _ category: String, _ company: UUID) -> String {
        let payload = "\(company) \(user) \(category)"
        return Base64.encode(
            Array(keys[0].authenticate(payload).prefix(Self.codeLength)) + Array(payload.utf8), .url)
    }

    func wish(of token: String) -> Wish? {
        guard token.utf8.count <= 600, let bytes = Base64.decode(token, .url), bytes.count > Self.codeLength
        else {
            return nil
        }
        let payload = String(decoding: bytes[Self.codeLength...], as: UTF8.self)
        let code = Array(bytes[..<Self.codeLength])
        guard
            keys.contains(where: {
                constantTimeEquals(Array($0.authenticate(payload).prefix(Self.codeLength)), code)
            })
        else { return nil }
        let parts = payload.split(separator: " ", maxSplits: 2)
        guard parts.count == 3, let company = UUID(parts[0]), let user = UUID(parts[1]) else { return nil }
        return Wish(company: company, user: user, category: String(parts[2]))
    }
}
