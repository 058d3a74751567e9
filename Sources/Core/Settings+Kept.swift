import Glibc
import Wire

extension Settings {
    private static let keptName = "keys.conf"

    /// These settings with the keys that nobody set: read from the data folder, or made there on the first start.
    ///
    /// Only for development and the embedded database; elsewhere missing keys are refused before.
    public func withKeptKeys() throws(SettingsFault) -> Settings {
        guard self.secretKey == nil || self.passwordPepper == nil else { return self }
        guard self.mode == .development else { return self }
        let path = "\(self.data)/\(Self.keptName)"
        if SmallFile.read(path) == nil {
            _ = Folder.make(self.data, mode: geteuid() == 0 ? 0o755 : 0o700)
            let made = SmallFile.create(
                path,
                """
                # Made on the first start. Whoever holds these keys can read the secrets in the database;
                # without them its passwords are useless.
                \(Self.name(\.secretKey))=k1:\(Base64.encode(randomBytes()))
                \(Self.name(\.passwordPepper))=\(Base64.encode(randomBytes()))

                """)
            // Somebody else may just have made it; that file is then the right one.
            if !made, SmallFile.read(path) == nil {
                throw SettingsFault(problems: ["\(path) cannot be written: \(SystemError.last)"])
            }
        }
        return try readKept(path)
    }

    private func readKept(_ path: String) throws(SettingsFault) -> Settings {
        var settings = self
        for line in (SmallFile.read(path) ?? "").split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let setting = Self.byName[String(parts[0])] else { continue }
            guard source(of: setting.name) == .default else { continue }
            do {
                settings.set(setting.name, try setting.parse(String(parts[1])), from: .kept(path))
            } catch {
                throw SettingsFault(problems: ["\(path): \(setting.name) \(error.text)"])
            }
        }
        guard settings.secretKey != nil, settings.passwordPepper != nil else {
            throw SettingsFault(problems: [
                "\(path) lacks a key; restore it, or set both keys in the environment"
            ])
        }
        return settings
    }

    private func randomBytes() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = getentropy(&bytes, bytes.count)
        precondition(count == 0, "the system gives no random bytes")
        return bytes
    }
}
