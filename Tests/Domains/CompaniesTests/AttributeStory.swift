import TestSupport
import Testing
import Wire

@testable import Companies

@Suite struct AttributeStory {
    private func define(_ who: Person, _ key: String, _ kind: String, _ options: [String] = []) async throws
        -> Answer
    {
        var body: JSON.Object = ["key": .string(key), "name": .string("The \(key)"), "kind": .string(kind)]
        if !options.isEmpty { body["options"] = .array(options.map(JSON.string)) }
        return try await who.post("/v1/member-attributes", .object(body))
    }

    @Test func `a member's values are held against what the company has defined, and found by it`()
        async throws
    {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "member")
        let path = "/v1/members/\(try await grace.member(linus))"
        // Before the first definition values are free.
        #expect(try await grace.patch(path, ["attributes": ["shoe": 44]]).status == 200)

        #expect(try await define(grace, "office", "choice", ["Berlin", "Lisbon"]).status == 201)
        #expect(try await define(grace, "since", "date").status == 201)
        #expect(try await define(grace, "remote", "boolean").status == 201)
        let answer = try await grace.patch(
            path,
            ["attributes": ["office": "Lisbon", "since": "2026-02-01", "remote": true, "shoe": JSON.null]])
        #expect(answer.json["attributes"] == ["office": "Lisbon", "since": "2026-02-01", "remote": true])

        let wrong = try await grace.patch(
            path,
            ["attributes": ["offise": "Berlin", "since": "2026-02-31", "remote": "yes", "office": "Rome"]])
        let faults = wrong.json["errors"]?.arrayValue ?? []
        #expect(wrong.status == 422 && faults.count == 4)
        #expect(faults.contains { $0["detail"]?.stringValue?.hasSuffix("perhaps office was meant") == true })

        let found = { (query: String) in
            (try await grace.get("/v1/members?\(query)").json["data"]?.arrayValue ?? []).compactMap {
                $0["name"]?.stringValue
            }
        }
        #expect(try await found("attribute=office:Lisbon") == ["Linus"])
        #expect(try await found("attribute=office:Lisbon,remote:true") == ["Linus"])
        #expect(try await found("attribute=office:Lisbon,remote:false").isEmpty)
        #expect(try await grace.get("/v1/members?attribute=office").status == 422)
        let file = try await grace.get("/v1/members.csv").text
        #expect(
            file.contains("The office,The remote,The since\r\n")
                && file.contains("Lisbon,true,2026-02-01\r\n"))
    }

    @Test func `a definition fits the values there are, and takes them with it when it goes`() async throws {
        let world = try await World()
        let grace = try await world.owner()
        let linus = try await grace.colleague("Linus", as: "viewer")
        let path = "/v1/members/\(try await grace.member(linus))"
        _ = try await grace.patch(path, ["attributes": ["level": "three"]])
        #expect(try await define(grace, "level", "number").code == "attribute-values-do-not-fit")
        let made = try await define(grace, "level", "choice", ["two", "three"])
        let id = try #require(made.json["id"]?.stringValue)
        #expect(try await define(grace, "level", "text").code == "attribute-key-taken")
        #expect(try await define(grace, "grade", "choice").status == 422)
        #expect(try await define(linus, "grade", "text").code == "forbidden")

        let fewer = try await grace.patch("/v1/member-attributes/\(id)", ["options": ["two"]])
        #expect(fewer.code == "attribute-values-do-not-fit")
        let more = try await grace.patch(
            "/v1/member-attributes/\(id)", ["options": ["two", "three", "four"], "name": "Level"])
        #expect(more.status == 200 && more.json["options"] == ["two", "three", "four"])
        #expect(try await linus.get("/v1/member-attributes").json["data"]?[0]?["name"] == "Level")
        #expect(try await grace.delete("/v1/member-attributes/\(id)").status == 204)
        #expect(try await grace.get(path).json["attributes"] == [:])
        let eve = try await world.owner("Eve", of: "Elsewhere")
        #expect(try await eve.get("/v1/member-attributes/\(id)").status == 404)
    }
}
