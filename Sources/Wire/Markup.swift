extension String {
    /// The text as it stands in HTML or XML, between tags or in a quoted attribute.
    public var escapedAsMarkup: String {
        reduce(into: "") { out, character in
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.append(character)
            }
        }
    }
}
