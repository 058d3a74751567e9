import TestSupport
import Testing
import Wire

@Suite struct AccessReviewReminderStory {
    @Test func `an open review is recalled on its day and once more when it is overdue, a closed one is not`()
        async throws
    {
        let bell = try await Bell(on: .shared())
        func open(_ name: String) async throws -> String {
            let made = try await bell.person.client.post(
                "/v1/access-reviews", ["name": .string(name), "due_on": "2035-05-05"]
            ).expect(201)
            return try #require(made.json["id"]?.stringValue)
        }
        func told(_ name: String) async throws -> [String] {
            try await bell.inbox("?limit=100").filter {
                $0["title"]?.stringValue?.hasSuffix(": \(name)") ?? false
            }
            .compactMap { $0["type"]?.stringValue }.filter { $0 != "access_review.opened" }.sorted()
        }
        _ = try await open("Spring")
        let closed = try await open("Winter")
        let id = try #require(UUID(closed))
        try await bell.run("DELETE FROM access_review_items WHERE review_id = \(id)")
        _ = try await bell.person.client.post("/v1/access-reviews/\(closed)/closure").expect(200)
        try await bell.hurry("companies.access-review-reminder")
        let both = try await eventually { () async throws -> [String]? in
            let types = try await told("Spring")
            return types.count >= 2 ? types : nil
        }
        #expect(both == ["access_review.due", "access_review.overdue"])
        #expect(try await told("Winter") == [])
    }
}
