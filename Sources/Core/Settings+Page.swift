extension Settings {
    /// docs/configuration.md, from the declarations.
    public static var page: String {
        var page = """
            # Configuration

            Written by `infinity doctor --settings-page`; refresh it with `make docs`.

            Infinity reads its environment, then the file that `INFINITY_CONFIG` names (`NAME=value` lines), then the
            defaults below; the first that sets a value wins. A secret can also be read from a file: set
            `NAME_FILE` to its path. An unknown `INFINITY_` name stops the start, and so does a value that makes no
            sense; all faults are told at once. `infinity doctor` shows what is in force and where it came from.

            """
        for setting in all {
            if let section = SettingsCatalogue.sections.first(where: { $0.first == setting.name }) {
                page += "\n## \(section.title)\n\n| name | meaning | values | default |\n|---|---|---|---|\n"
            }
            let file = setting.isSecret ? " (or `\(setting.name)_FILE`)" : ""
            page += "| `\(setting.name)`\(file) | \(setting.doc) | \(setting.unit ?? setting.form) |"
            page += " \(setting.defaultText.isEmpty ? "empty" : setting.defaultText) |\n"
        }
        return page
    }
}
