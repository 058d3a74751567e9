import API
import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import Files

/// Files that Infinity makes itself, and files that something uses.
@Suite struct KeepingStory {
    @Test func `what a job makes is kept for a while, read back, and linked`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let (company, instance) = (try #require(UUID(ada.companyId!)), shelf.server.instance)
        let files = instance.environment[FileKeeping.self]
        let bytes = noise(600_000)
        let kept = try await files.keep(
            .init(
                name: "export.zip", company: company, purpose: "export", by: .system, keptFor: .seconds(3600))
        ) { out in
            for start in stride(from: 0, to: bytes.count, by: 50_000) {
                try await out.write(Array(bytes[start..<start + 50_000]))
            }
        }
        #expect(kept.sizeBytes == bytes.count)
        let known = try await ada.client.get("/v1/files/\(kept.id)").expect(200).json
        #expect(known["purpose"] == "export" && known["uploaded_by"] == .null && known["expires_at"] != .null)
        let path = "/v1/public/files/" + kept.url.split(separator: "/").last!
        #expect(try await shelf.server.client.get(path).expect(200).body == bytes)
        var read: [UInt8] = []
        #expect(try await files.read(kept.id, company) { read += $0 })
        #expect(read == bytes)
        #expect(try await files.link(kept.id, company, .seconds(60)) != nil)
        #expect(try await files.link(.v7(), company, .seconds(60)) == nil)
        // Its time is up.
        _ = try await instance.database.query(
            "UPDATE file_deadlines SET due_at = now() WHERE subject_id = \(kept.id)")
        _ = try await FileSweep.round(instance.environment[FileParts.self], instance.database)
        try await ada.client.get("/v1/files/\(kept.id)").expect(404)
        #expect(try await shelf.server.client.get(path).code == "link-invalid")
        #expect(shelf.objects(of: ada).isEmpty)
    }

    @Test func `a maker that fails leaves nothing behind`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let company = try #require(UUID(ada.companyId!))
        let files = shelf.server.instance.environment[FileKeeping.self]
        await #expect(throws: Broken.self) {
            try await files.keep(.init(name: "x", company: company, purpose: "export", by: .system)) { out in
                try await out.write(noise(400_000))
                throw Broken(description: "on purpose")
            }
        }
        try await shelf.limit(ada, to: 1000)
        await #expect(throws: Problem.self) {
            try await files.keep(.init(name: "x", company: company, purpose: "export", by: .system)) { out in
                try await out.write(noise(400_000))
            }
        }
        #expect(shelf.objects(of: ada).isEmpty && shelf.unfinished(of: ada).isEmpty)
        #expect(try await ada.client.get("/v1/files").json["data"]?.arrayValue?.isEmpty == true)
    }

    @Test func `a logo is seen by everybody while it is the logo, and cannot be deleted`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let note = try await ada.upload(Array("hello".utf8)).expect(201).json.text("id")
        let svg = try await ada.upload(Picture.svg).expect(201).json.text("id")
        let logo = try await ada.upload(Picture.png, name: "logo.png").expect(201).json.text("id")
        for id in [note, svg, UUID.v7().description] {
            try await ada.client.put("/v1/company/logo", ["file_id": .string(id)]).expect(422)
        }
        let company = try await ada.client.put("/v1/company/logo", ["file_id": .string(logo)]).expect(200)
            .json
        let path = "/v1/public/files/" + (try company.text("logo_url")).split(separator: "/").last!
        let shown = try await shelf.server.client.get(path).expect(200)
        #expect(
            shown.body == Picture.png
                && shown.header("content-disposition") == "inline; filename=\"logo.png\"")
        #expect(shown.header("cache-control") == "public, max-age=300")
        let refused = try await ada.client.delete("/v1/files/\(logo)").expect(409)
        #expect(refused.code == "file-in-use" && refused.json["used_by"]?[0]?["type"] == "company_logo")
        try await ada.client.delete("/v1/company/logo").expect(204)
        #expect(try await shelf.server.client.get(path).code == "link-invalid")
        try await ada.client.delete("/v1/files/\(logo)").expect(204)
    }

    @Test func `a person's picture is seen by everybody until another takes its place`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let first = try await ada.upload(Picture.png).expect(201).json.text("id")
        let second = try await ada.upload(Picture.gif).expect(201).json.text("id")
        let me = try await ada.client.put("/v1/auth/me/avatar", ["file_id": .string(first)]).expect(200).json
        let path = "/v1/public/files/" + (try me.text("avatar_url")).split(separator: "/").last!
        #expect(try await shelf.server.client.get(path).expect(200).body == Picture.png)
        try await ada.client.delete("/v1/files/\(first)").expect(409)
        try await ada.client.put("/v1/auth/me/avatar", ["file_id": .string(second)]).expect(200)
        #expect(try await shelf.server.client.get(path).code == "link-invalid")
        try await ada.client.delete("/v1/files/\(first)").expect(204)
        try await ada.client.delete("/v1/auth/me/avatar").expect(204)
        #expect(try await ada.client.get("/v1/auth/me").json["avatar_url"] == .null)
        try await ada.client.delete("/v1/files/\(second)").expect(204)
    }
}
