/// Where the product stands for its users, without a slash at the end: what links in mails begin with. The app puts
/// it into the environment.
public struct PublicAddress: Sendable {
    public let url: String

    public init(_ url: String) {
        var url = url
        while url.hasSuffix("/") { url.removeLast() }
        self.url = url
    }
}
