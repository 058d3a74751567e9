import API
import Postgres
import Testing
import Wire

@testable import Core

@Suite struct MailQueueTests {
    private func message(_ to: String, once: String? = nil) -> Mail.Message {
        Mail.Message(
            .memberRemoved, to: to, name: "Ada", context: ["company": "Aurora"], onceKey: once)
    }

    @Test func `a mail is queued with its transaction or not at all`() async throws {
        let ground = try await CoreGround()
        struct Undone: Error {}
        await #expect(throws: Undone.self) {
            try await ground.database.transaction { tx in
                try await Mail.queue(message("a@example.com"), in: tx)
                throw Undone()
            }
        }
        #expect(try await ground.count("SELECT count(*) FROM mail_queue") == 0)
    }

    @Test func `asking twice with one key queues one mail`() async throws {
        let ground = try await CoreGround()
        for _ in 0..<2 {
            try await ground.database.transaction {
                try await Mail.queue(message("a@example.com", once: "k"), in: $0)
            }
        }
        #expect(try await ground.count("SELECT count(*) FROM mail_queue") == 1)
    }

    @Test func `two workers at once never claim the same mail`() async throws {
        let ground = try await CoreGround()
        try await ground.database.transaction { tx in
            for n in 0..<40 { try await Mail.queue(message("p\(n)@example.com"), in: tx) }
        }
        let ids = try await withThrowingTaskGroup(of: [UUID].self) { group in
            for _ in 0..<8 {
                group.addTask { try await MailQueue.claim(ground.database).map(\.id) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(ids).count == ids.count)
        #expect(ids.count == 40)
    }

    @Test func `a mail whose worker died is taken by another, and the dead one's word counts no more`()
        async throws
    {
        let ground = try await CoreGround()
        try await ground.database.transaction { try await Mail.queue(message("a@example.com"), in: $0) }
        let first = try await MailQueue.claim(ground.database)[0]
        #expect(try await MailQueue.claim(ground.database).isEmpty)
        _ = try ground.test.psql("UPDATE mail_queue SET held_until = now() - interval '1 second'")
        let second = try await MailQueue.claim(ground.database)[0]
        #expect(second.id == first.id && second.attempt == 2)
        _ = try await ground.database.query(MailQueue.failed(first, "too late", isPermanent: true))
        #expect(try await ground.count("SELECT count(*) FROM mail_queue WHERE state = 'sending'") == 1)
        _ = try await ground.database.query(MailQueue.sent(second))
        #expect(
            try await ground.count("SELECT count(*) FROM mail_queue WHERE state = 'sent' AND context = '{}'")
                == 1)
    }

    @Test func `a refused mail waits longer each time and is given up in the end`() async throws {
        let ground = try await CoreGround()
        try await ground.database.transaction { try await Mail.queue(message("a@example.com"), in: $0) }
        var pauses: [Int] = []
        for attempt in 1...MailQueue.pauses.count + 1 {
            let mail = try await MailQueue.claim(ground.database)[0]
            #expect(mail.attempt == attempt)
            _ = try await ground.database.query(
                MailQueue.failed(mail, "the server is down", isPermanent: false))
            pauses.append(
                try await ground.count(
                    "SELECT coalesce(round(extract(epoch FROM next_attempt_at - now())), 0)::int FROM mail_queue"
                ))
            _ = try ground.test.psql("UPDATE mail_queue SET next_attempt_at = now()")
        }
        #expect(pauses.dropLast() == [30, 120, 600, 1800, 7200, 14_400, 28_800, 57_600])
        #expect(try await ground.count("SELECT count(*) FROM mail_queue WHERE state = 'dead'") == 1)
        #expect(try await MailQueue.claim(ground.database).isEmpty)
    }

    @Test func `without a mail server nothing is sent and nothing is lost`() async throws {
        let ground = try await CoreGround()
        try await ground.database.transaction { try await Mail.queue(message("a@example.com"), in: $0) }
        #expect(try await Mailroom.sendDue(ground.work()) == .idle)
        #expect(
            try await ground.count("SELECT count(*) FROM mail_queue WHERE state = 'queued' AND attempts = 0")
                == 1)
    }
}
