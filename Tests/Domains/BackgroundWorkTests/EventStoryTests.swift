import Core
import TestSupport
import Testing
import Wire

/// What the operators see of the reactions to events.
@Suite struct EventStoryTests {
    @Test func `an event a reaction gave up is shown and tried again`() async throws {
        let server = try await TestServer()
        let otto = try await Person.operator(on: server)
        let company = try #require(otto.companyId)
        // A reaction that this release does not have, so that nothing but the test touches its rows.
        _ = try server.database.psql(
            """
            INSERT INTO reactions (name, mark) VALUES ('tests.gone', pg_snapshot_xmin(pg_current_snapshot()));
            INSERT INTO outbox (id, company_id, type, actor_kind, subject_type, subject_id, data)
            VALUES ('\(UUID.v7())', '\(company)', 'thing.done', 'system', 'thing', '\(UUID.v7())', '{}');
            INSERT INTO reactions_due (reaction, company_id, seq, attempt, dead_at, errors)
            SELECT 'tests.gone', '\(company)', seq, 24, now(), '[{"at": "2026-01-01T00:00:00Z", "error": "it broke"}]'
              FROM outbox WHERE type = 'thing.done';
            """)
        let failures = try await otto.client.get("/v1/event-failures?is_dead=true").expect(200).json
        let failure = try #require(failures["data"]?[0])
        #expect(
            failure["type"]?.stringValue == "thing.done"
                && failure["errors"]?[0]?["error"]?.stringValue == "it broke")
        let id = try #require(failure["id"]?.intValue)
        let again = try await otto.client.post("/v1/event-failures/\(id)/retry").expect(200).json
        #expect(again["is_dead"]?.boolValue == false && again["attempt"]?.intValue == 0)
        try await otto.client.post("/v1/event-failures/\(id)/retry").expect(404)
        try await otto.client.get("/v1/event-reactions").expect(200)
        try await otto.client.patch("/v1/event-reactions/tests.gone", ["is_paused": true]).expect(404)
        await server.stop()
    }
}
