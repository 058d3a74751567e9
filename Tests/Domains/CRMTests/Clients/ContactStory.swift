import API
import TestSupport
import Testing
import Wire

@testable import CRM

/// Clients and contacts as people work with them.
@Suite struct ContactStory {
    private func contact(_ body: JSON, _ person: Person) async throws -> JSON {
        try await person.client.post("/v1/contacts", body).expect(201).json
    }

    private func ids(_ answer: Answer) -> [String] { answer.texts("id") }

    @Test func `a contact is made, found, changed, put away and taken back`() async throws {
        let world = try await World()
        let me = world.owner.client
        let client = try await me.post(
            "/v1/clients", ["name": "Northwind", "website": "https://www.northwind.example/x"]
        ).expect(201).json
        #expect(client["domain"] == "northwind.example")
        let again = try await me.post(
            "/v1/clients", ["name": "Other", "website": "https://northwind.example"])
        #expect(again.code == "client-known" && again.json["client_id"] == client["id"])
        let made = try await contact(
            [
                "first_name": "Anna", "last_name": "Berg", "emails": ["Anna@Northwind.example"],
                "phones": ["+49 (0)30 901820"],
                "client_id": client["id"] ?? .null,
            ], world.owner)
        let id = try made.text("id")
        #expect(made["name"] == "Anna Berg" && made["owner_id"] != JSON.null)
        let taken = try await me.post(
            "/v1/contacts", ["name": "Anna B.", "emails": ["anna@northwind.example"]])
        #expect(
            taken.status == 409 && taken.code == "contact-known"
                && taken.json["contact_id"]?.stringValue == id)
        for query in [
            "q=ann", "q=annna", "q=030901820", "email=anna@northwind.example", "owner=me",
            "lifecycle=subscriber",
            "client_id=\(try client.text("id"))", "sort=name",
        ] {
            #expect(try await ids(me.get("/v1/contacts?\(query)").expect(200)) == [id], "\(query)")
        }
        #expect(try await ids(me.get("/v1/contacts?owner=none").expect(200)) == [])
        #expect(try await ids(me.get("/v1/clients/\(try client.text("id"))/contacts").expect(200)) == [id])
        #expect(try await me.patch("/v1/contacts/\(id)", ["job_title": "Head"]).status == 428)
        let changed = try await me.with(header: "If-Match", "\"1\"").patch(
            "/v1/contacts/\(id)", ["job_title": "Head", "last_name": "Bergmann"]
        ).expect(200)
        #expect(changed.json["name"] == "Anna Bergmann" && changed.json["version"] == 2)
        #expect(
            try await me.with(header: "If-Match", "\"1\"").patch("/v1/contacts/\(id)", ["job_title": "None"])
                .status == 412)
        #expect(try await ids(me.get("/v1/contacts?q=bergmann").expect(200)) == [id])
        try await me.delete("/v1/contacts/\(id)").expect(204)
        #expect(try await me.get("/v1/contacts/\(id)").status == 404)
        #expect(
            try await me.post("/v1/contacts", ["name": "A", "emails": ["anna@northwind.example"]]).code
                == "contact-in-trash")
        try await me.post("/v1/contacts/\(id)/restore").expect(200)
        #expect(try await me.post("/v1/contacts/\(id)/restore").code == "record-not-in-trash")
        try await me.post("/v1/contacts/\(id)/archive").expect(200)
        #expect(try await ids(me.get("/v1/contacts")) == [])
        #expect(try await ids(me.get("/v1/contacts?archived=yes")) == [id])
        let upserted =
            try await me.post(
                "/v1/contacts/upsert",
                [
                    "contacts": [
                        ["emails": ["ANNA@northwind.example"], "locale": "de-DE"],
                        ["name": "Bert", "phones": ["0049 40 1234"]],
                    ]
                ]
            ).expect(200).json["results"]?.arrayValue ?? []
        #expect(upserted.first?["id"]?.stringValue == id && upserted.map { $0["is_new"] } == [false, true])
        #expect(
            try await me.post("/v1/clients/upsert", ["name": "northwind"]).expect(200).json["id"]
                == client["id"])
    }

    @Test func `what somebody is known by is one's own and can be many`() async throws {
        let world = try await World()
        let me = world.owner.client
        let anna = try await contact(["name": "Anna", "emails": ["anna@berg.example"]], world.owner).text(
            "id")
        let bert = try await contact(["name": "Bert"], world.owner).text("id")
        let second = try await me.post(
            "/v1/contacts/\(anna)/identities",
            ["kind": "email", "value": "home@berg.example", "is_primary": true]
        )
        .expect(201).json
        #expect(try await me.get("/v1/contacts/\(anna)").json["email"] == "home@berg.example")
        #expect(
            try await me.post(
                "/v1/contacts/\(bert)/identities", ["kind": "email", "value": "HOME@berg.example"]
            ).code == "contact-known")
        #expect(
            try await me.post("/v1/contacts/\(bert)/identities", ["kind": "phone", "value": "x"]).status
                == 422)
        try await me.delete("/v1/contacts/\(anna)/identities/\(try second.text("id"))").expect(204)
        #expect(try await me.get("/v1/contacts/\(anna)").json["email"] == "anna@berg.example")
        let client = try await me.post("/v1/clients", ["name": "Northwind"]).expect(201).json.text("id")
        try await me.put("/v1/contacts/\(bert)/clients/\(client)", ["role": "Buyer", "is_primary": true])
            .expect(204)
        #expect(try await me.get("/v1/contacts/\(bert)").json["client_id"]?.stringValue == client)
        #expect(try await me.get("/v1/contacts/\(bert)/clients").texts("role") == ["Buyer"])
        try await me.delete("/v1/contacts/\(bert)/clients/\(client)").expect(204)
        #expect(try await me.get("/v1/contacts/\(bert)").json["client_id"] == JSON.null)
        try await me.post(
            "/v1/contacts/\(bert)/consents",
            ["channel": "email", "state": "granted", "basis": "consent", "source": "Fair"]
        ).expect(201)
        try await me.post(
            "/v1/contacts/\(bert)/consents",
            ["channel": "email", "state": "withdrawn", "basis": "consent", "source": "Mail"]
        )
        .expect(201)
        #expect(try await me.get("/v1/contacts/\(bert)").json["consents"]?["email"]?["state"] == "withdrawn")
        #expect(try await me.get("/v1/contacts/\(bert)/consents").texts("state") == ["withdrawn", "granted"])
    }

    @Test func `clients stand to each other and never above themselves`() async throws {
        let world = try await World()
        let me = world.owner.client
        var ids: [String] = []
        for name in ["Holding", "Works", "Shop"] {
            ids.append(try await me.post("/v1/clients", ["name": .string(name)]).expect(201).json.text("id"))
        }
        func relate(_ one: Int, _ kind: String, _ other: Int) async throws -> Answer {
            try await me.post(
                "/v1/clients/\(ids[one])/relations",
                ["kind": .string(kind), "client_id": .string(ids[other])])
        }
        let first = try await relate(0, "parent", 1).expect(201).json
        #expect(first["is_of"] == true && first["name"] == "Works")
        try await relate(1, "parent", 2).expect(201)
        #expect(try await relate(2, "parent", 0).code == "relation-circle")
        #expect(try await relate(0, "parent", 2).code == "relation-exists")
        try await relate(0, "partner", 2).expect(201)
        #expect(try await relate(2, "partner", 0).code == "relation-exists")
        #expect(try await relate(0, "partner", 0).status == 422)
        #expect(try await me.get("/v1/clients/\(ids[2])/relations").texts("name") == ["Works", "Holding"])
        try await me.delete("/v1/clients/\(ids[0])/relations/\(first.text("id"))").expect(204)
        #expect(try await me.get("/v1/clients/\(ids[0])/stats").expect(200).json["open_deals"] == 0)
        let address = try await me.post(
            "/v1/clients/\(ids[0])/addresses", ["city": "Berlin", "country": "DE"]
        ).expect(201).json.text("id")
        #expect(try await me.get("/v1/clients/\(ids[0])/addresses").texts("city") == ["Berlin"])
        try await me.delete("/v1/clients/\(ids[0])/addresses/\(address)").expect(204)
    }

    @Test func `many are changed together or each for itself`() async throws {
        let world = try await World()
        let me = world.owner.client
        var ids: [JSON] = []
        for index in 0..<20 {
            ids.append(
                .string(try await contact(["name": .string("Person \(index)")], world.owner).text("id")))
        }
        let tag = try await me.post("/v1/tags", ["name": "fair"]).expect(201).json.text("id")
        let tagged = try await me.post(
            "/v1/contacts/bulk", ["ids": .array(ids), "action": "tag", "tag_ids": [.string(tag)]]
        ).expect(200).json
        #expect(tagged["changed"] == 20)
        #expect(try await me.get("/v1/contacts?tag=\(tag)&limit=100").texts("id").count == 20)
        let stranger: JSON = .string(UUID.v7().description)
        #expect(
            try await me.post("/v1/contacts/bulk", ["ids": .array(ids + [stranger]), "action": "delete"])
                .status == 404)
        let moved = try await me.post(
            "/v1/contacts/bulk",
            [
                "ids": .array(ids + [stranger]), "mode": "per_item", "action": "lifecycle",
                "lifecycle": "customer",
            ]
        ).expect(200).json
        #expect(moved["changed"] == 20 && moved["failed"] == 1)
        #expect(
            try await me.post(
                "/v1/contacts/bulk", ["ids": .array(ids), "action": "lifecycle", "lifecycle": "king"]
            ).status == 422)
        #expect(
            try await me.post("/v1/contacts/bulk", ["ids": .array(ids), "action": "assign"]).expect(200).json[
                "changed"] == 20)
        #expect(try await me.get("/v1/contacts?owner=none&limit=100").texts("id").count == 20)
        #expect(
            try await me.post("/v1/contacts/bulk", ["ids": .array(ids), "action": "delete"]).expect(200).json[
                "changed"] == 20)
        #expect(try await me.get("/v1/contacts").texts("id") == [])
    }

    @Test func `one sees what one may and nothing else`() async throws {
        let world = try await World()
        let role = try await world.owner.makeRole("Sales", [.crmRead, .crmWrite, .crmContactData])
        let seller = try await world.owner.colleague(roleIds: [role])
        let hidden = try await contact(["name": "Anna Berg", "emails": ["anna@berg.example"]], world.owner)
            .text("id")
        let own = try await contact(["name": "Anna Berg", "emails": ["other@berg.example"]], seller).text(
            "id")
        let boss = try await world.owner.client.post(
            "/v1/clients", ["name": "Northwind", "website": "https://north.example"]
        ).expect(201).json.text("id")
        for path in [
            "/v1/contacts", "/v1/contacts?q=anna", "/v1/contacts/similar?name=anna%20berg",
            "/v1/contacts/similar?email=anna@berg.example&name=anna",
        ] {
            #expect(try await ids(seller.client.get(path).expect(200)) == [own], "\(path)")
        }
        for path in [
            "/v1/clients", "/v1/clients?q=north", "/v1/clients/similar?website=north.example",
            "/v1/duplicates",
        ] {
            #expect(try await ids(seller.client.get(path).expect(200)) == [], "\(path)")
        }
        for path in [
            "/v1/contacts/\(hidden)", "/v1/clients/\(boss)", "/v1/contacts/\(hidden)/identities",
            "/v1/contacts/\(hidden)/clients", "/v1/contacts/\(hidden)/consents",
        ] {
            #expect(try await seller.client.get(path).status == 404, "\(path)")
        }
        #expect(try await seller.client.delete("/v1/contacts/\(hidden)").status == 404)
        let known = try await seller.client.post(
            "/v1/contacts", ["name": "X", "emails": ["anna@berg.example"]])
        #expect(known.code == "contact-known" && known.json["contact_id"] == nil)

        let blind = try await world.owner.colleague(roleIds: [
            world.owner.makeRole("Blind", [.crmRead, .crmReadAll, .crmWrite])
        ])
        let nameless = try await contact(["emails": ["secret@berg.example"]], world.owner).text("id")
        let read = try await blind.client.get("/v1/contacts/\(nameless)").expect(200).json
        #expect(read["email"] == JSON.null && read["name"] == "(hidden)")
        #expect(try await ids(blind.client.get("/v1/contacts?q=secret").expect(200)) == [])
        #expect(try await blind.client.get("/v1/contacts?email=secret@berg.example").status == 403)
        #expect(try await blind.client.get("/v1/contacts/similar?email=secret@berg.example").status == 403)
        #expect(try await blind.client.get("/v1/contacts/\(nameless)/identities").status == 403)
        #expect(
            try await blind.client.post("/v1/contacts", ["name": "N", "emails": ["n@berg.example"]]).status
                == 403)
        #expect(try await blind.client.post("/v1/contacts", ["name": "N"]).status == 201)
    }

    @Test func `an erased contact is gone with all that names it`() async throws {
        let world = try await World()
        let me = world.owner.client
        let anna = try await contact(["name": "Anna Berg", "emails": ["anna@berg.example"]], world.owner)
            .text("id")
        try await me.post("/v1/contacts/\(anna)/erase").expect(204)
        #expect(try await me.get("/v1/contacts/\(anna)").status == 404)
        #expect(try await ids(me.get("/v1/contacts?q=anna")) == [])
        let left = try world.server.database.psql(
            "SELECT name || coalesce(email, '') || (SELECT count(*) FROM contact_identities i WHERE i.contact_id = c.id) FROM contacts c WHERE id = '\(anna)'"
        )
        #expect(left.contains("Erased0"))
        #expect(
            try await me.post("/v1/contacts", ["name": "Anna Berg", "emails": ["anna@berg.example"]]).status
                == 201)
    }
}
