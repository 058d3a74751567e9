extension SQL {
    /// Text for a pattern of LIKE that stands for itself, whatever signs are in it.
    public static func literalPattern(_ text: some StringProtocol) -> String {
        text.reduce(into: "") { out, character in
            if "%_\\".contains(character) { out.append("\\") }
            out.append(character)
        }
    }
}
