import CLinux
import Core
import Crypto
import Glibc
import Postgres
import TestSupport
import Testing
import Wire

@testable import Files

/// Uploads that come in pieces, break, go on elsewhere and are forgotten.
@Suite struct UploadStory {
    @Test func `an upload of several requests becomes one file`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let bytes = noise(700_000)
        let upload = try await ada.begin(bytes.count, name: "film.bin")
        #expect(try await ada.client.get("/v1/file-usage").json["reserved_bytes"] == 700_000)
        var at = 0
        for size in [1, 10, 250_000, 12_345, 437_644] {
            let answer = try await ada.send(Array(bytes[at..<at + size]), to: upload, at: at).expect(204)
            at += size
            #expect(answer.header("upload-offset") == String(at))
            #expect(answer.header("tus-resumable") == "1.0.0")
            if at < bytes.count { #expect(answer.header("upload-expires") != nil) }
            #expect(try await ada.offset(of: upload) == at)
        }
        let id = try #require(upload.split(separator: "/").last)
        let file = try await ada.client.get("/v1/files/\(id)").expect(200).json
        #expect(file["sha256"]?.stringValue == SHA256.digest(bytes).hex)
        #expect(file["name"] == "film.bin")
        #expect(try await ada.client.get("/v1/files/\(id)/content").body == bytes)
        #expect(shelf.unfinished(of: ada).isEmpty && shelf.objects(of: ada).count == 1)
        let usage = try await ada.client.get("/v1/file-usage").json
        #expect(usage["reserved_bytes"] == 0 && usage["stored_bytes"] == 700_000)
        // The client that did not hear the last answer asks again.
        try await ada.send([], to: upload, at: bytes.count).expect(204)
    }

    @Test func `the first bytes may come with the beginning`() async throws {
        let ada = try await Shelf.shared().owner()
        let answer = try await ada.tus.with(header: "Upload-Length", "5")
            .with(header: "Upload-Metadata", "filename YS50eHQ=,tags eCx5").send(
                "POST", "/v1/uploads", body: Array("hello".utf8), type: "application/offset+octet-stream"
            ).expect(201)
        #expect(answer.header("upload-offset") == "5" && answer.json["state"] == "finished")
        let file = try await ada.client.get("/v1/files/\(answer.json.text("file_id"))").expect(200).json
        #expect(file["name"] == "a.txt" && file["type"] == "text/plain" && file["tags"] == ["x", "y"])
    }

    @Test func `what arrived before the connection broke is kept`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let bytes = noise(3_000_000)
        let upload = try await ada.begin(bytes.count)
        // The head promises all of it; half comes, and the line goes dead.
        let head = """
            PATCH \(upload) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(ada.token)\r\nTus-Resumable: 1.0.0\r\n\
            Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: \(bytes.count)\r\n\r\n
            """
        try Cut.send(Array(head.utf8) + bytes[..<1_500_000], to: shelf.server.port)
        let offset = try await eventually {
            let offset = try await ada.offset(of: upload) ?? 0
            return offset > 0 ? offset : nil
        }
        #expect(offset > 0 && offset <= 1_500_000)
        let answer = try await eventually {
            let answer = try await ada.send(Array(bytes[offset...]), to: upload, at: offset)
            return answer.status == 423 ? nil : answer
        }
        try answer.expect(204)
        let id = try #require(upload.split(separator: "/").last)
        #expect(try await ada.client.get("/v1/files/\(id)/content").body == bytes)
    }

    @Test func `bytes that are not those of the checksum do not count`() async throws {
        let ada = try await Shelf.shared().owner()
        let bytes = noise(400_000)
        let upload = try await ada.begin(bytes.count)
        let first = Array(bytes[..<300_000])
        let wrong = Base64.encode(SHA256.digest("another").bytes)
        let refused = try await ada.send(first, to: upload, at: 0, [("Upload-Checksum", "sha256 \(wrong)")])
        #expect(refused.status == 460 && refused.code == "upload-checksum-mismatch")
        #expect(try await ada.offset(of: upload) == 0)
        let right = Base64.encode(SHA256.digest(first).bytes)
        try await ada.send(first, to: upload, at: 0, [("Upload-Checksum", "sha256 \(right)")]).expect(204)
        #expect(try await ada.send(first, to: upload, at: 0, [("Upload-Checksum", "sha257 x")]).status == 409)
        try await ada.send(
            Array(bytes[300_000...]), to: upload, at: 300_000, [("Upload-Checksum", "sha257 x")]
        ).expect(400)
        try await ada.send(Array(bytes[300_000...]), to: upload, at: 300_000).expect(204)
        let id = try #require(upload.split(separator: "/").last)
        #expect(try await ada.client.get("/v1/files/\(id)/content").body == bytes)
    }

    @Test func `the protocol's refusals are as it names them`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let upload = try await ada.begin(10)
        #expect(try await ada.send(noise(5), to: upload, at: 3).status == 409)
        #expect(
            try await ada.client.with(header: "Upload-Offset", "0").send("PATCH", upload, body: noise(5))
                .status == 412)
        #expect(
            try await ada.tus.with(header: "Upload-Offset", "0").send("PATCH", upload, body: noise(5)).status
                == 415)
        #expect(try await ada.send(noise(11), to: upload, at: 0).status == 413)
        #expect(try await ada.offset(of: upload) == 0)
        #expect(try await ada.tus.send("POST", "/v1/uploads").status == 400)
        #expect(
            try await ada.tus.with(header: "Upload-Length", "0").send("POST", "/v1/uploads").status == 422)
        #expect(
            try await ada.tus.with(header: "Upload-Length", "-1").send("POST", "/v1/uploads").status == 400)
        #expect(
            try await ada.tus.with(header: "Upload-Length", "99999999999999").send("POST", "/v1/uploads")
                .status == 413)
        try await ada.tus.send("DELETE", upload).expect(204)
        #expect(try await ada.tus.send("HEAD", upload).status == 404)
        #expect(try await ada.client.get("/v1/file-usage").json["reserved_bytes"] == 0)
        let options = try await shelf.server.client.send("OPTIONS", "/v1/uploads")
        #expect(
            options.header("tus-version") == "1.0.0"
                && options.header("tus-extension")?.contains("checksum") == true)
    }

    @Test func `a type that is not taken ends the upload with its first bytes`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let upload = try await ada.begin(400_000)
        let program = [0x7F, 0x45, 0x4C, 0x46] + noise(399_996)
        #expect(try await ada.send(program, to: upload, at: 0).code == "file-type-refused")
        #expect(try await ada.send(program, to: upload, at: 0).status == 410)
        #expect(try await ada.client.get("/v1/file-usage").json["reserved_bytes"] == 0)
        #expect(shelf.objects(of: ada).isEmpty && shelf.unfinished(of: ada).isEmpty)
    }

    @Test func `another instance goes on when they share the folder, and says so when they do not`()
        async throws
    {
        let shelf = try await Shelf()
        let ada = try await shelf.owner()
        let bytes = noise(600_000)
        let upload = try await ada.begin(bytes.count)
        try await ada.send(Array(bytes[..<400_000]), to: upload, at: 0).expect(204)
        let stranger = try await Shelf(beside: shelf, sharesFolder: false)
        var elsewhere = ada.tus.with(header: "Upload-Offset", "400000")
        let rest = Array(bytes[400_000...])
        elsewhere = Client(port: stranger.server.port, token: ada.token).with(
            header: "Tus-Resumable", "1.0.0"
        )
        .with(header: "Upload-Offset", "400000")
        let refused = try await elsewhere.send(
            "PATCH", upload, body: rest, type: "application/offset+octet-stream")
        #expect(refused.status == 409 && refused.code == "upload-elsewhere")
        let twin = try await Shelf(beside: shelf)
        let there = Client(port: twin.server.port, token: ada.token).with(header: "Tus-Resumable", "1.0.0")
            .with(header: "Upload-Offset", "400000")
        try await there.send("PATCH", upload, body: rest, type: "application/offset+octet-stream").expect(204)
        let id = try #require(upload.split(separator: "/").last)
        #expect(try await ada.client.get("/v1/files/\(id)/content").body == bytes)
        await stranger.server.stop()
        await twin.server.stop()
        await shelf.server.stop()
    }

    @Test func `room is never given twice, however many ask at once`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        try await shelf.limit(ada, to: 1_000_000)
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<64 {
                group.addTask {
                    if number % 2 == 0 { return try await ada.upload(noise(100_000, UInt64(number))).status }
                    return try await ada.tus.with(header: "Upload-Length", "100000").send(
                        "POST", "/v1/uploads"
                    ).status
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.count { $0 == 201 } == 10, "\(statuses)")
        #expect(statuses.allSatisfy { $0 == 201 || $0 == 403 || $0 == 503 }, "\(statuses)")
        let usage = try await ada.client.get("/v1/file-usage").json
        let (stored, reserved) = (
            usage["stored_bytes"]?.intValue ?? 0, usage["reserved_bytes"]?.intValue ?? 0
        )
        #expect(stored + reserved == 1_000_000)
        #expect(shelf.objects(of: ada).count == stored / 100_000 && shelf.unfinished(of: ada).isEmpty)
    }

    @Test func `what nobody finished, and what nobody speaks of, is swept away`() async throws {
        let shelf = try await Shelf()
        let ada = try await shelf.owner()
        let company = try #require(UUID(ada.companyId!))
        let instance = shelf.server.instance
        let parts = instance.environment[FileParts.self]
        let upload = try await ada.begin(500_000)
        try await ada.send(noise(400_000), to: upload, at: 0).expect(204)
        let kept = try await ada.upload(noise(1000, 7)).expect(201).json.text("id")
        let deleted = try await ada.upload(noise(1000, 8)).expect(201).json.text("id")
        try await ada.client.delete("/v1/files/\(deleted)").expect(204)
        // An object without a row, as a crash between the two leaves it; and one of another installation.
        let orphan = try await parts.storage.write(StorageKey(company: company, id: .v7()))
        try await orphan.write(noise(10))
        try await orphan.finish()
        let stranger = StorageKey(company: .v7(), id: .v7())
        let foreign = try await parts.storage.write(stranger)
        try await foreign.write(noise(10))
        try await foreign.finish()
        #expect(shelf.objects(of: ada).count == 3 && shelf.unfinished(of: ada).count == 1)
        let tenant = Tenant(company: company, user: nil)
        _ = try await instance.database.query(
            "UPDATE uploads SET expires_at = now() WHERE company_id = \(company)", as: tenant)
        _ = try await instance.database.query(
            "UPDATE file_deadlines SET due_at = now() WHERE company_id = \(company)")
        _ = try await FileSweep.round(parts, instance.database)
        #expect(try await ada.tus.send("HEAD", upload).status == 404)
        try await ada.client.get("/v1/files/\(deleted)").expect(404)
        try await OrphanSweep.round(parts, instance.database, before: .now - .seconds(3600))
        #expect(shelf.objects(of: ada).count == 2, "what is young is left alone")
        try await OrphanSweep.round(parts, instance.database, before: .now + .seconds(3600))
        #expect(shelf.objects(of: ada).count == 1 && shelf.unfinished(of: ada).isEmpty)
        #expect(try await parts.storage.length(of: stranger) == 10, "it may be another installation's")
        try await ada.client.get("/v1/files/\(kept)/content").expect(200)
        let usage = try await ada.client.get("/v1/file-usage").json
        #expect(usage["stored_bytes"] == 1000 && usage["reserved_bytes"] == 0)
        await shelf.server.stop()
    }

    @Test func `a lost object is told, and the same content heals it`() async throws {
        let shelf = try await Shelf()
        let ada = try await shelf.owner()
        let instance = shelf.server.instance
        let parts = instance.environment[FileParts.self]
        let id = try await ada.upload(noise(5000, 9)).expect(201).json.text("id")
        try await ada.upload(noise(10, 10)).expect(201)
        let blob = try await instance.database.query(
            "SELECT object_id FROM file_blobs WHERE size_bytes = 5000",
            as: Tenant(company: UUID(ada.companyId!)!, user: nil))
        let object = try blob[0].get("object_id", as: UUID.self)
        let place = try #require(shelf.objects(of: ada).first { $0.hasSuffix(object.description) })
        #expect(rename(place, shelf.folder + "/aside") == 0)
        #expect(try await ada.client.get("/v1/files/\(id)/content").code == "file-content-lost")
        try await OrphanSweep.round(parts, instance.database, before: .now - .seconds(3600))
        #expect(parts.figures.objectsMissing.value == 0, "what is young may still be under way")
        try await OrphanSweep.round(parts, instance.database, before: .now + .seconds(3600))
        #expect(parts.figures.objectsMissing.value == 1)
        #expect(rename(shelf.folder + "/aside", place) == 0)
        try await OrphanSweep.round(parts, instance.database, before: .now + .seconds(3600))
        #expect(parts.figures.objectsMissing.value == 0)
        unlink(place)
        try await OrphanSweep.round(parts, instance.database, before: .now + .seconds(3600))
        #expect(parts.figures.objectsMissing.value == 1)
        try await ada.upload(noise(5000, 9)).expect(201)
        #expect(try await ada.client.get("/v1/files/\(id)/content").expect(200).body == noise(5000, 9))
        await shelf.server.stop()
    }

    @Test func `an upload whose maker died before the file was made is finished by the next who asks`()
        async throws
    {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let bytes = noise(300_000)
        let upload = try await ada.begin(bytes.count)
        try await ada.send(Array(bytes[..<299_999]), to: upload, at: 0).expect(204)
        let id = try #require(upload.split(separator: "/").last.flatMap { UUID(String($0)) })
        let (company, instance) = (try #require(UUID(ada.companyId!)), shelf.server.instance)
        let tenant = Tenant(company: company, user: nil)
        // As a crash leaves it: all bytes safe, the object whole or not, the row still open and held by the dead.
        for isWhole in [false, true] {
            let rows = try await instance.database.query(
                "SELECT \(fragment: UploadRow.columns) FROM uploads WHERE company_id = \(company) AND id = \(id)",
                as: tenant)
            let row = try UploadRow(rows[0])
            if !isWhole {
                let intake = try await Intake(row.saved, row.key, instance.environment[FileParts.self])
                try await intake.take([bytes[299_999]])
                let saved = try await intake.save()
                _ = try await instance.database.query(
                    """
                    UPDATE uploads SET offset_bytes = 300000, hash_state = \(saved.hash),
                           storage_state = \(JSONText(try JSON(encoding: saved.storage).description))::jsonb,
                           writer = \(UUID.v7()), writer_until = now() + interval '1 hour'
                     WHERE company_id = \(company) AND id = \(id)
                    """, as: tenant)
                #expect(try await ada.client.get(upload).json["state"] == "open")
                _ = try await instance.environment[FileParts.self].storage.resume(
                    row.key, from: saved.storage
                ).finish()
            } else {
                _ = try await instance.database.query(
                    "UPDATE uploads SET writer_until = now() WHERE company_id = \(company) AND id = \(id)",
                    as: tenant)
                #expect(try await ada.client.get(upload).json["state"] == "finished")
            }
        }
        #expect(try await ada.client.get("/v1/files/\(id)/content").expect(200).body == bytes)
    }
}

extension Shelf {
    /// Gives the company so much room and no more.
    func limit(_ person: Person, to bytes: Int) async throws {
        let company = UUID(person.companyId!)!
        _ = try await server.instance.database.batch(
            [
                "INSERT INTO quota_overrides (company_id, quota, amount) VALUES (\(company), 'storage_bytes', \(bytes))",
                "UPDATE quota_counters SET fresh_until = NULL WHERE company_id = \(company) AND quota = 'storage_bytes'",
            ], as: Tenant(company: company, user: nil))
    }
}

/// A client whose line goes dead.
enum Cut {
    static func send(_ bytes: [UInt8], to port: UInt16) throws {
        let socket = try LoopbackSocket.connect(to: port)
        defer { close(socket) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Broken(description: "cannot send: errno \(errno)") }
            sent += count
        }
    }
}
