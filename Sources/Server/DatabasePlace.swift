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
    init(settings: Settings) throws {
        if let given = settings.databaseURL {
            embedded = nil
            url = given.revealed
            ownerURL = (settings.databaseMigrateURL ?? given).revealed
        } else {
            let own = try EmbeddedPostgres(settings: settings)
            embedded = own
            url = own.url
            ownerURL = own.ownerURL
        }
    }

    func stop() { embedded?.stop() }
}
