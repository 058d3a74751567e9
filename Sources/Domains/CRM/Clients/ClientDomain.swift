import API
import Wire

/// The host by which a client is told from others: in lower case, without `www.`.
struct ClientDomain: Hashable, Sendable {
    let text: String

    init?(website: String) {
        var rest = website.trimmed().lowercased()[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
        }
        let host = rest.prefix { !"/?#:".contains($0) }
        self.init(host: host)
    }

    init?(email: String) {
        guard let email = Email(email), !Self.anybodys.contains(email.domain) else { return nil }
        self.init(host: email.domain[...])
    }

    private init?(host: Substring) {
        let bare = host.hasPrefix("www.") ? host.dropFirst(4) : host
        guard bare.contains("."), bare.utf8.count <= 253, Email("a@\(bare)") != nil else { return nil }
        text = String(bare)
    }

    /// Where anybody can have an address, which therefore says nothing about where he works.
    private static let anybodys: Set<String> = [
        "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.de", "hotmail.fr",
        "hotmail.co.uk", "live.com",
        "msn.com", "yahoo.com", "yahoo.de", "yahoo.fr", "yahoo.co.uk", "ymail.com", "icloud.com", "me.com",
        "mac.com",
        "aol.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de",
        "proton.me",
        "protonmail.com", "mail.com", "mail.ru", "yandex.ru", "yandex.com", "zoho.com", "fastmail.com",
        "qq.com", "163.com",
        "126.com", "orange.fr", "free.fr", "laposte.net", "wanadoo.fr", "libero.it", "seznam.cz", "wp.pl",
        "o2.pl",
        "bluewin.ch", "posteo.de", "mailbox.org", "tutanota.com", "hey.com", "comcast.net", "verizon.net",
        "att.net",
    ]
}
