import API
import Core
import Postgres
import Wire

/// A job watched from afar.
enum JobStream {
    /// How often the row is looked at without a hint: the end of a job is told within it.
    private static let pause: Duration = .seconds(1)

    /// - Parameter one: the statement that reads the job, with its `state`.
    static func follow(_ id: UUID, _ one: SQL, _ call: Call) -> API.Events {
        let (db, watch) = (call.db, call.environment[JobWatch.self])
        return API.Events { stream in
            var last = ""
            try await watch.follow(id, every: pause) {
                let rows = try await db.query(one)
                guard let row = rows.first, !stream.isDraining else { return false }
                let state: JobState = try row.get("state")
                let writer = ByteWriter()
                row.writeJSON(into: writer)
                let text = writer.string
                let isOver = [.done, .cancelled, .dead].contains(state)
                if text != last || isOver { try await stream.send(event: isOver ? "end" : "job", data: text) }
                last = text
                return !isOver
            }
        }
    }
}
