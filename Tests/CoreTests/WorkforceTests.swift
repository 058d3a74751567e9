import API
import Postgres
import Synchronization
import Testing
import Wire

@testable import Core

@Suite struct WorkforceTests {
    private final class Counter: Sendable {
        let value = Mutex(0)
        func add() { value.withLock { $0 += 1 } }
        var count: Int { value.withLock { $0 } }
    }

    private func force(_ ground: CoreGround, _ workers: [Worker]) -> Workforce {
        Workforce(workers, database: ground.database, environment: Environment(), loops: CoreGround.loops)
    }

    @Test func `single work is done by one of many instances`() async throws {
        let ground = try await CoreGround()
        let done = Counter()
        let forces = (0..<4).map { _ in
            force(
                ground,
                [
                    Worker.single("monthly", every: .seconds(3600)) { _ in
                        done.add()
                        return .idle
                    }
                ])
        }
        for force in forces { force.start() }
        try await eventually("done once") { done.count == 1 }
        for force in forces { force.wake("monthly") }
        for force in forces { await force.stop() }
        #expect(done.count == 1)
    }

    @Test func `a notification wakes a worker long before its time`() async throws {
        let ground = try await CoreGround()
        let rounds = Counter()
        let force = force(
            ground,
            [
                Worker("mail", every: .seconds(3600), wakeUp: "mail_queued") { _ in
                    rounds.add()
                    return .idle
                }
            ])
        force.start()
        try await eventually("the first round") { rounds.count >= 1 }
        let before = rounds.count
        try await eventually("woken") {
            try await ground.database.notify("mail_queued")
            return rounds.count > before
        }
        await force.stop()
    }

    @Test func `draining waits for the round in hand and begins no other`() async throws {
        let ground = try await CoreGround()
        let (begun, ended) = (Counter(), Counter())
        let force = force(
            ground,
            [
                Worker("slow", every: .milliseconds(1)) { work in
                    begun.add()
                    while !work.isStopping { try await Task.sleep(for: .milliseconds(1)) }
                    ended.add()
                    return .more
                }
            ])
        force.start()
        try await eventually("a round has begun") { begun.count == 1 }
        await force.stop()
        #expect(begun.count == 1 && ended.count == 1)
    }

    @Test func `a round that fails is tried again`() async throws {
        let ground = try await CoreGround()
        let rounds = Counter()
        struct Broken: Error {}
        let force = force(
            ground,
            [
                Worker.single("shaky", every: .seconds(3600)) { _ in
                    rounds.add()
                    if rounds.count == 1 { throw Broken() }
                    return .idle
                }
            ])
        force.start()
        try await eventually("tried again") { rounds.count == 2 }
        await force.stop()
    }
}
