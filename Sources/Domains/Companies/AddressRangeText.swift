import API
import Wire

/// An address or a range of addresses, as `203.0.113.7` or `2001:db8::/32`.
struct AddressRangeText: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }

    var range: AddressRange? { AddressRange(text) }

    static var rule: TextRule {
        TextRule(length: 2...49) {
            AddressRange($0) == nil ? "is no address or range like 203.0.113.0/24" : nil
        }
    }
    static var exampleText: String { "203.0.113.0/24" }
}
