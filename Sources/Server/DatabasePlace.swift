import App
import Core

/// The database a command works on: the one that is set, or one of our own started for it.
// @unchecked Sendable: what can change is the embedded database, which only the main thread starts and stops.
struct DatabasePlace: @unchecked Sendable {
    let embedded: EmbeddedPostgres?
    /// For the server: a role that row-level security binds.
    let url: String
    /// For migrations: the role that owns the tables.
    let ownerURL: String

    /// To be called on the main thread.
    /// - Parameter sharing: an embedded database that another Infinity runs will do as well.
    init(settings: Settings, sharing: Bool = false) throws {
        if let given = settings.databaseURL {
            embedded = nil
            url = given.revealed
            ownerURL = (settings.databaseMigrateURL ?? given).revealed
            return
        }
        embedded = try Self.own(settings, sharing: sharing)
        url = EmbeddedPostgres.url(in: settings.data)
        ownerURL = EmbeddedPostgres.ownerURL(in: settings.data)
    }

    /// Nil when another Infinity runs it.
    private static func own(_ settings: Settings, sharing: Bool) throws -> EmbeddedPostgres? {
        do throws(EmbeddedPostgresFault) {
            return try EmbeddedPostgres(settings: settings)
        } catch {
            if sharing && error.kind == .inUse { return nil }
            throw error
        }
    }

    func stop() { embedded?.stop() }
}
