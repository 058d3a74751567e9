import ArgumentParser

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the API, and do the background work.",
        discussion: """
            Without DATABASE_URL it starts a PostgreSQL of its own in INFINITY_DATA. SIGTERM and Ctrl-C let requests in
            flight finish, a second one ends it at once; SIGHUP reads the certificate again.
            """)

    @Flag(
        inversion: .prefixedNo, help: "Bring the schema up to date first; without it, refuse an old schema.")
    var migrate = true

    @Flag(inversion: .prefixedNo, help: "Do background work too.")
    var work = true

    @Flag(help: "Make the demo company, and print how to log in to it.")
    var demo = false

    func run() {
        Failure.reporting { try Process(works: work, migrates: migrate, showsDemo: demo).run() }
    }
}

struct Work: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Do the background work alone: send mail, tidy up.")

    @Flag(
        inversion: .prefixedNo, help: "Bring the schema up to date first; without it, refuse an old schema.")
    var migrate = true

    func run() {
        Failure.reporting { try Process(serves: false, migrates: migrate).run() }
    }
}
