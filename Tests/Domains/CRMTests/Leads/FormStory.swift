import API
import Crypto
import TestSupport
import Testing
import Wire

/// What comes in by forms is never lost at the door.
@Suite struct FormStory {
    private struct Made {
        let id: String
        let path: String
        let token: String
    }

    private func form(_ client: Client, _ more: JSON.Object = [:]) async throws -> Made {
        var body: JSON.Object = [
            "name": .string("Contact \(UUID.v7())"),
            "fields": [
                ["key": "mail", "label": "E-mail", "type": "email", "is_required": true, "maps_to": "email"],
                ["key": "who", "label": "Name", "type": "text", "maps_to": "name"],
                ["key": "text", "label": "Message", "type": "textarea", "maps_to": "message"],
            ],
        ]
        for (key, value) in more.members { body[key] = value }
        let made = try await client.post("/v1/forms", .object(body)).expect(201).json
        let (id, token) = (try made.text("id"), try made.text("token"))
        try await client.post("/v1/forms/\(id)/publish").expect(200)
        return Made(id: id, path: "/v1/p/forms/\(token)", token: token)
    }

    private func settled(_ client: Client, _ form: Made, _ state: String, count: Int = 1) async throws
        -> [JSON]
    {
        try await eventually {
            let all =
                try await client.get("/v1/forms/\(form.id)/submissions?state=\(state)").expect(200).json[
                    "data"]?.arrayValue ?? []
            return all.count >= count ? .some(all) : .none
        }
    }

    @Test func `a form becomes a lead, and sent again by the same person a touch of it`() async throws {
        let world = try await World()
        let (client, guest) = (world.owner.client, world.server.client)
        let form = try await form(client)
        let address = Person.freshAddress()
        let first = try await guest.post(
            "\(form.path)/submissions",
            ["mail": .string(address), "who": "Anna Berg", "text": "A shop", "utm_campaign": "spring"]
        ).expect(202)
        let same = try await guest.post(
            "\(form.path)/submissions",
            ["text": "A shop", "who": "Anna Berg", "mail": .string(address), "utm_campaign": "spring"]
        ).expect(202)
        #expect(first.json["submission_id"] == same.json["submission_id"])
        let made = try await settled(client, form, "processed")[0]
        #expect(made["is_new_lead"] == true)
        let body = [UInt8]("mail=\(address)&who=Anna&text=And+a+newsletter".utf8)
        try await guest.send(
            "POST", "\(form.path)/submissions", body: body, type: "application/x-www-form-urlencoded"
        ).expect(202)
        let both = try await settled(client, form, "processed", count: 2)
        #expect(both[0]["lead_id"] == made["lead_id"] && both[0]["is_new_lead"] == false)
        let lead = try await client.get("/v1/leads/\(try made.text("lead_id"))").expect(200).json
        #expect(
            lead["message"] == "A shop" && lead["contact_name"] == "Anna Berg"
                && lead["utm"]?["campaign"] == "spring")
        #expect(
            try await client.get("/v1/contacts/\(try lead.text("contact_id"))/touches").texts("channel").count
                == 2)
        let stats = try await client.get("/v1/forms/\(form.id)/stats").expect(200).json
        #expect(stats["total"] == 2 && stats["new_leads"] == 1)
    }

    @Test func `32 people send at once and none is lost`() async throws {
        let world = try await World()
        let (client, guest) = (world.owner.client, world.server.client)
        let form = try await form(client)
        let address = Person.freshAddress()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for n in 0..<32 {
                group.addTask {
                    try await guest.post(
                        "\(form.path)/submissions",
                        ["mail": .string(address), "text": .string("Question \(n)")]
                    ).expect(202)
                }
            }
            try await group.waitForAll()
        }
        let all = try await settled(client, form, "processed", count: 32)
        #expect(Set(all.compactMap { $0["lead_id"]?.stringValue }).count == 1)
    }

    @Test func `the hidden field makes spam of it, which a person may call ham`() async throws {
        let world = try await World()
        let client = world.owner.client
        let form = try await form(client)
        try await world.server.client.post(
            "\(form.path)/submissions",
            ["mail": .string(Person.freshAddress()), "website_url": "http://spam.example"]
        ).expect(202)
        let spam = try await settled(client, form, "spam")[0]
        #expect(spam["lead_id"] == .null)
        let path = "/v1/submissions/\(try spam.text("id"))"
        try await client.post("\(path)/mark-ham").expect(200)
        _ = try await settled(client, form, "processed")
        #expect(try await client.post("\(path)/mark-spam").code == "submission-settled")
    }

    @Test func `a proof of work is asked for, verified and good for once`() async throws {
        let world = try await World()
        let guest = world.server.client
        let form = try await form(world.owner.client, ["work_bits": 8])
        let challenge = try await guest.get(form.path).expect(200).json.text("challenge")
        func body(_ challenge: String, _ nonce: String, _ text: String) -> JSON {
            [
                "mail": .string(Person.freshAddress()), "text": .string(text),
                "_challenge": .string(challenge), "_nonce": .string(nonce),
            ]
        }
        let nonces = (0...).lazy.map(String.init)
        let good = try #require(nonces.first { SHA256.digest(challenge + $0).bytes[0] == 0 })
        let bad = try #require(nonces.first { SHA256.digest(challenge + $0).bytes[0] != 0 })
        let path = "\(form.path)/submissions"
        #expect(try await guest.post(path, ["mail": .string(Person.freshAddress())]).code == "proof-required")
        #expect(try await guest.post(path, body(challenge, bad, "one")).code == "proof-refused")
        #expect(try await guest.post(path, body(challenge + "x", good, "one")).code == "proof-refused")
        try await guest.post(path, body(challenge, good, "one")).expect(202)
        #expect(try await guest.post(path, body(challenge, good, "two")).code == "proof-refused")
    }

    @Test func `only allowed pages may send, and browsers are told so`() async throws {
        let world = try await World()
        let form = try await form(world.owner.client, ["allowed_origins": ["https://shop.example"]])
        let path = "\(form.path)/submissions"
        let page = world.server.client.with(header: "Origin", "https://shop.example")
        let asked = try await page.with(header: "Access-Control-Request-Method", "POST").send("OPTIONS", path)
        #expect(asked.header("access-control-allow-origin") == "https://shop.example")
        let sent = try await page.post(path, ["mail": .string(Person.freshAddress())]).expect(202)
        #expect(sent.header("access-control-allow-origin") == "https://shop.example")
        #expect(sent.header("access-control-allow-credentials") == nil)
        let other = world.server.client.with(header: "Origin", "https://other.example")
        #expect(
            try await other.post(path, ["mail": .string(Person.freshAddress())]).code == "origin-not-allowed")
        #expect(try await world.server.client.get("/v1/p/forms/nonsense").status == 404)
    }

    @Test func `a double opt-in waits for the one who owns the address`() async throws {
        let world = try await World()
        let (client, guest) = (world.owner.client, world.server.client)
        let form = try await form(client, ["double_opt_in": true])
        let address = Person.freshAddress()
        try await guest.post("\(form.path)/submissions", ["mail": .string(address)]).expect(202)
        let mail = try await world.server.mails(to: address)[0]
        let link = try mail["context"].need("link").stringValue ?? ""
        let path = String(link.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" })
        #expect(try await settled(client, form, "unconfirmed")[0]["lead_id"] == .null)
        #expect(try await guest.get(path).expect(200).text.contains("Yes, it was me"))
        #expect(try await settled(client, form, "unconfirmed").count == 1)
        try await guest.post(path).expect(200)
        #expect(try await settled(client, form, "processed")[0]["confirmed_at"] != .null)
        #expect(try await guest.post(path + "x").code == "unknown-confirmation")
    }

    @Test func `what cannot be made a lead is held with an alarm and processed again`() async throws {
        let world = try await World()
        let (client, guest) = (world.owner.client, world.server.client)
        let key = try await client.post("/v1/capture-keys", ["name": "Landing"]).expect(201).json
        let path = "/v1/p/capture/\(try key.text("key"))"
        try await guest.post(path, ["name": "Nobody", "message": "No address"]).expect(202)
        let held = try await eventually {
            let all =
                try await client.get("/v1/submissions?state=held").expect(200).json["data"]?.arrayValue ?? []
            return all.first.map { Optional($0) } ?? .none
        }
        #expect(held["via"] == "Landing" && held["raw"]?["name"] == "Nobody")
        #expect(
            try await client.get("/v1/notifications").texts("title").contains(
                "Landing: a submission waits for you"))
        try await client.post("/v1/submissions/\(try held.text("id"))/reprocess").expect(200)
        try await guest.post(path, ["email": .string(Person.freshAddress()), "company": "Northwind"]).expect(
            202)
        _ = try await eventually {
            try await client.get("/v1/leads").texts("client_name") == ["Northwind"] ? true : nil
        }
        try await client.delete("/v1/capture-keys/\(try key.text("id"))").expect(204)
        #expect(try await guest.post(path, ["email": "a@b.example"]).status == 404)
    }
}
