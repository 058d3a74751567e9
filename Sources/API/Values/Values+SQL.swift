import Postgres

extension TextValue {
    public var sqlValue: SQLValue { .text(text) }
    public static func sqlValue(of elements: [Self]) -> SQLValue { .texts(elements.map(\.text)) }
}

extension Text: SQLBindable, SQLBindableElement {}
extension OptionalText: SQLBindable, SQLBindableElement {}
extension Prose: SQLBindable, SQLBindableElement {}
extension Email: SQLBindable, SQLBindableElement {}
extension Slug: SQLBindable, SQLBindableElement {}
extension WebURL: SQLBindable, SQLBindableElement {}
extension TimeZoneName: SQLBindable, SQLBindableElement {}
extension LocaleName: SQLBindable, SQLBindableElement {}
extension CurrencyCode: SQLBindable, SQLBindableElement {}

extension NumberValue where Number: SQLBindable {
    public var sqlValue: SQLValue { value.sqlValue }
}

extension Cents: SQLBindable {}
extension Percent: SQLBindable {}
extension Whole: SQLBindable {}

extension UpTo: SQLBindable where Element: SQLBindableElement {
    public var sqlValue: SQLValue { Element.sqlValue(of: items) }
}
