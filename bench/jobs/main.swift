import Core
import Glibc
import Logging
import Loop
import Postgres
import Synchronization
import Wire

/// One side of the measurement of the job queue: jobs that do nothing, enqueued or worked off by the engine as it ships.
///
///     jobs-bench enqueue URL COUNT BATCH     seconds, CPU seconds
///     jobs-bench work URL                    until nothing waits: seconds from the first claim, CPU seconds
///     jobs-bench latency URL COUNT           milliseconds from enqueuing to running on an idle queue: p50, p99
struct Nothing: Codable, Sendable {
    var number: Int
    var at: UInt64
}

let nothing = JobKind<Nothing>("bench.nothing")

func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func seconds(since begun: UInt64) -> Double { Double(EventLoop.monotonicNanoseconds() - begun) / 1e9 }

func enqueue(_ database: Database, _ count: Int, _ batch: Int) async throws {
    // As a process that serves: the workers of others are told.
    let telling = JobTelling(database)
    defer { telling.stop() }
    let begun = EventLoop.monotonicNanoseconds()
    let cpu = cpuSeconds()
    var done = 0
    while done < count {
        let part = (done..<min(done + batch, count)).map { Nothing(number: $0, at: 0) }
        if batch == 1 {
            try await Jobs.enqueue(nothing, part[0], company: nil, on: database)
        } else {
            _ = try await database.transaction { tx in
                try await Jobs.enqueue(nothing, all: part, company: nil, in: tx)
            }
        }
        done += part.count
    }
    print("\(seconds(since: begun)) \(cpuSeconds() - cpu)")
}

func engine(_ database: Database, _ run: @escaping @Sendable (Nothing) -> Void) -> JobEngine {
    let handler = JobHandler(nothing) { task, _ in
        run(task)
        return .done
    }
    return JobEngine([handler], database: database, environment: .init())
}

func work(_ database: Database) async throws {
    let tally = Tally()
    let engine = engine(database) { _ in tally.add() }
    let cpu = cpuSeconds()
    engine.start()
    // Looking walks over all that is gone, so only while nothing moves.
    var seen = 0
    while true {
        try await Task.sleep(for: .milliseconds(20))
        let count = tally.content.withLock { $0.count }
        defer { seen = count }
        if count > seen { continue }
        let isLeft: Bool = try await database.query("SELECT EXISTS (SELECT FROM jobs)")[0].get(0)
        if !isLeft { break }
    }
    let (count, first) = tally.content.withLock { $0 }
    print("\(count) \(seconds(since: first)) \(cpuSeconds() - cpu)")
    await engine.stop()
}

final class Tally: Sendable {
    let content = Mutex<(count: Int, first: UInt64)>((0, 0))

    func add() {
        content.withLock { content in
            if content.count == 0 { content.first = EventLoop.monotonicNanoseconds() }
            content.count += 1
        }
    }
}

final class Times: Sendable {
    let taken = Mutex<[Double]>([])
}

func latency(_ database: Database, _ count: Int) async throws {
    let times = Times()
    let engine = engine(database) { task in
        times.taken.withLock { $0.append(Double(EventLoop.monotonicNanoseconds() - task.at) / 1e6) }
    }
    engine.start()
    for number in 0..<count {
        try await Task.sleep(for: .milliseconds(20))
        // As another process would: by NOTIFY, not by the shortcut within this one.
        let task = Nothing(number: number, at: EventLoop.monotonicNanoseconds())
        _ = try await database.query(Jobs.sql(nothing, task, company: nil))
    }
    while times.taken.withLock({ $0.count }) < count { try await Task.sleep(for: .milliseconds(10)) }
    let sorted = times.taken.withLock { $0.sorted() }
    print("\(sorted[count / 2]) \(sorted[count * 99 / 100])")
    await engine.stop()
}

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    print("jobs-bench enqueue|work|latency URL …")
    exit(64)
}
LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
let loops = LoopGroup(count: 1)
let database = Database(DatabaseConfiguration(url: arguments[2]), loops: loops)
switch arguments[1] {
case "enqueue":
    // Where requests are handled: on the loop, which has the database's connections.
    let (count, batch) = (Int(arguments[3])!, Int(arguments[4])!)
    try await Task(executorPreference: loops.loops[0]) { try await enqueue(database, count, batch) }.value
case "work": try await work(database)
case "latency": try await latency(database, Int(arguments[3])!)
default: exit(64)
}
await database.close()
