import TestSupport
import Testing
import Wire

@testable import Companies

@Suite struct AccessReviewStory {
    private func open(_ who: Person) async throws -> String {
        let answer = try await who.post("/v1/access-reviews", ["name": "Autumn", "due_on": "2030-10-31"])
        return "/v1/access-reviews/\(try #require(answer.json["id"]?.stringValue, "\(answer)"))"
    }

    private func item(of name: String, _ role: String, _ who: Person, _ review: String) async throws -> String
    {
        let items = try await who.get("\(review)/items?limit=100").json["data"]?.arrayValue ?? []
        let item = items.first {
            $0["member_name"]?.stringValue == name && $0["role_name"]?.stringValue == role
        }
        return try #require(item?["id"]?.stringValue, "no \(role) of \(name) in \(items)")
    }

    @Test func `a review takes down who holds what and when it was used, and closing it takes away`()
        async throws
    {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "viewer")
        #expect(try await grace.give(linus, "viewer", "manager").status == 200)
        let team = try await grace.team("Weavers")
        let member = try await grace.member(linus)
        _ = try await grace.post(
            "/v1/grants",
            [
                "object_type": "team", "object_id": .string(team), "member_id": .string(member),
                "role_id": .string(grace.role("manager")),
            ])
        _ = try world.test.psql(
            "INSERT INTO permission_uses SELECT company_id, id, 'teams:read', '2026-05-01', '2026-06-30', 9 FROM memberships "
                + "WHERE id = '\(member)'")
        let review = try await open(grace)
        let items = try await grace.get("\(review)/items").json["data"]?.arrayValue ?? []
        #expect(items.count == 4)
        let used = items.filter { $0["member_name"] == "Linus" && $0["kind"] == "role" }
        #expect(used.count == 2 && used.allSatisfy { $0["last_used_on"] == "2026-06-30" })
        #expect(used.allSatisfy { $0["granted_by_name"] == "Grace" })
        let unused = try await grace.get("\(review)/items?unused_since=2026-07-01").json["data"]?.arrayValue
        #expect(unused?.count == 3)

        #expect(try await grace.post("\(review)/closure").code == "access-review-undecided")
        let own = try await item(of: "Grace", "Owner", grace, review)
        #expect(
            try await grace.put("\(review)/items/\(own)/decision", ["decision": "remove"]).code
                == "own-access")
        let manager = items.filter { $0["member_name"] == "Linus" && $0["role_name"] == "Manager" }
        let decided = try await grace.put(
            "\(review)/decisions",
            [
                "item_ids": .array(manager.compactMap { $0["id"] }), "decision": "remove",
                "note": "Has moved on",
            ])
        #expect(decided.json["decided"] == 2)
        let kept = try await item(of: "Linus", "Viewer", grace, review)
        #expect(
            try await grace.put("\(review)/items/\(kept)/decision", ["decision": "keep"]).json["decision"]
                == "keep")
        #expect(try await grace.get(review).json["remove_count"] == 2)

        let closed = try await grace.post("\(review)/closure")
        #expect(
            closed.status == 200 && closed.json["state"] == "closed" && closed.json["undecided_count"] == 0)
        let after = try await grace.get("/v1/members/\(member)").json
        #expect(after["roles"]?.arrayValue?.compactMap { $0["key"] } == ["viewer"])
        #expect(try await grace.get("/v1/grants").json["data"]?.arrayValue?.isEmpty == true)
        #expect(try await linus.post("/v1/teams", ["name": "Mine"]).code == "forbidden")
        let file = try await grace.get("\(review)/items.csv").text
        #expect(file.contains("Linus,") && file.contains(",remove,Has moved on,removed\r\n"))
        #expect(
            try await grace.put("\(review)/items/\(kept)/decision", ["decision": "remove"]).code
                == "access-review-closed")
        #expect(try await grace.post("\(review)/closure").code == "access-review-closed")
        let events = try world.test.psql(
            "SELECT string_agg(type, ',' ORDER BY seq) FROM outbox WHERE type LIKE 'access%'")
        #expect(events == "access_review.opened,access_review.closed\n")
    }

    @Test func `nobody takes from whoever holds more, and the company keeps an owner`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let ada = try await grace.colleague("Ada", as: "admin")
        let review = try await open(ada)
        let owners = try await item(of: "Grace", "Owner", ada, review)
        #expect(try await ada.put("\(review)/items/\(owners)/decision", ["decision": "remove"]).status == 200)
        #expect(try await ada.post("\(review)/closure").code == "member-outranks-you")
        #expect(try await grace.give(ada, "owner").status == 200)
        // Ada may do it now, and is an owner herself.
        #expect(try await ada.post("\(review)/closure").status == 200)
        #expect(try await grace.get("/v1/access-reviews").code == "forbidden")
        let outsider = try await world.owner("Eve", of: "Elsewhere")
        #expect(try await outsider.get(review).status == 404)
    }

    @Test func `an owner can be reviewed away by another, never by himself`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let robin = try await grace.colleague("Robin", as: "owner")
        let review = try await open(robin)
        let owners = try await item(of: "Grace", "Owner", robin, review)
        _ = try await robin.put("\(review)/items/\(owners)/decision", ["decision": "remove"])
        #expect(try await robin.post("\(review)/closure").status == 200)
        let second = try await open(robin)
        #expect(try await robin.get("\(second)/items").json["data"]?.arrayValue?.count == 1)
        #expect(try await robin.post("\(second)/closure", ["undecided": "remove"]).status == 200)
        #expect(try await robin.get("/v1/access-reviews").status == 200)
    }

    @Test func `the least role covers what was used and permits least beyond it`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "admin")
        let member = try await grace.member(linus)
        let path = "/v1/members/\(member)/least-role"
        let before = try await grace.get(path).json
        #expect(before["suggestion"]?.isNull == true && before["is_conclusive"] == false)
        _ = try world.test.psql(
            """
            INSERT INTO permission_uses SELECT company_id, id, p, CURRENT_DATE - 120, CURRENT_DATE - 3, 20
              FROM memberships, unnest('{teams:read,members:read}'::text[]) p WHERE id = '\(member)';
            INSERT INTO permission_uses SELECT company_id, id, 'security:write', CURRENT_DATE - 120, CURRENT_DATE - 91, 1
              FROM memberships WHERE id = '\(member)';
            UPDATE memberships SET joined_at = now() - interval '200 days' WHERE id = '\(member)'
            """)
        let after = try await grace.get(path).json
        #expect(after["used"]?.arrayValue?.compactMap { $0["permission"] } == ["members:read", "teams:read"])
        #expect(after["suggestion"]?["key"] == "viewer" && after["is_conclusive"] == true)
        #expect(after["unused"]?.arrayValue?.contains("security:write") == true)
        #expect(after["suggestion_permits"]?.arrayValue?.contains("teams:read") == false)
        #expect(try await linus.get(path).status == 200)
        let names = { (query: String) in
            let members = try await grace.get("/v1/members?\(query)").json["data"]?.arrayValue ?? []
            return members.compactMap { $0["name"]?.stringValue }
        }
        #expect(try await names("inactive_since=2026-01-01") == ["Grace"])
        let shown = try await grace.get("/v1/members/\(member)").json
        let day = try world.test.psql("SELECT CURRENT_DATE - 3")
        #expect(shown["last_active_on"]?.stringValue == String(day.prefix(10)))
        #expect(try await grace.get("/v1/members/\(UUID.v7())/least-role").status == 404)
    }
}
