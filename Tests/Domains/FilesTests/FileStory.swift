import Crypto
import TestSupport
import Testing
import Wire

/// What a file goes through from its upload to its end.
@Suite struct FileStory {
    @Test func `a file is kept, described by its content and given back byte for byte`() async throws {
        let ada = try await Shelf.shared().owner()
        let made = try await ada.upload(
            Picture.png, name: "Über uns.txt", type: "text/plain",
            ["tags": "spring, logo", "purpose": "campaign"]
        ).expect(201).json
        #expect(made["type"] == "image/png")
        #expect(made["declared_type"] == "text/plain")
        #expect(made["kind"] == "image")
        #expect(made["name"] == "Über uns.txt")
        #expect(made["width"] == 1 && made["height"] == 1)
        #expect(made["tags"] == ["spring", "logo"])
        #expect(made["state"] == "ready")
        #expect(made["sha256"]?.stringValue == SHA256.digest(Picture.png).hex)
        #expect(made["uploaded_by"]?.stringValue == ada.userId)
        let content = try await ada.client.get("/v1/files/\(made.text("id"))/content").expect(200)
        #expect(content.body == Picture.png)
        #expect(content.header("content-type") == "image/png")
        #expect(content.header("etag") == "\"\(SHA256.digest(Picture.png).hex)\"")
        #expect(
            content.header("content-disposition")
                == "attachment; filename=\"__ber uns.txt\"; filename*=UTF-8''%C3%9Cber%20uns.txt")
    }

    @Test func `a file is found, renamed, put into the trash, taken out and deleted for good`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let id = try await ada.upload(noise(1000), name: "a.bin").expect(201).json.text("id")
        try await ada.upload(Array("hello".utf8), name: "b.txt", ["tags": "x"]).expect(201)
        let found = try await ada.client.get("/v1/files?kind=text&q=b.t&tag=x&sort=name").expect(200)
        #expect(found.json["data"]?.arrayValue?.count == 1)
        let renamed = try await ada.client.with(header: "If-Match", "\"1\"").send(
            "PATCH", "/v1/files/\(id)", ["name": "c.bin", "tags": ["new"]]
        ).expect(200)
        #expect(renamed.json["name"] == "c.bin" && renamed.json["tags"] == ["new"])
        try await ada.client.patch("/v1/files/\(id)", ["name": "../x"]).expect(422)
        try await ada.client.delete("/v1/files/\(id)").expect(204)
        try await ada.client.get("/v1/files/\(id)/content").expect(409)
        #expect(try await ada.client.get("/v1/files").json["data"]?.arrayValue?.count == 1)
        #expect(try await ada.client.get("/v1/files?state=deleted").json["data"]?.arrayValue?.count == 1)
        try await ada.client.post("/v1/files/\(id)/restoration").expect(200)
        try await ada.client.get("/v1/files/\(id)/content").expect(200)
        let bulk = try await ada.client.post(
            "/v1/file-deletions", ["ids": [.string(id), .string(UUID.v7().description)]])
        #expect(try bulk.expect(200).json["done"] == 1 && bulk.json["refused"] == 1)
        #expect(shelf.objects(of: ada).count == 2)
        try await ada.client.delete("/v1/file-trash/\(id)").expect(204)
        try await ada.client.get("/v1/files/\(id)").expect(404)
        #expect(shelf.objects(of: ada).count == 1)
        let usage = try await ada.client.get("/v1/file-usage").expect(200).json
        #expect(usage["stored_bytes"] == 5 && usage["files"] == 1 && usage["reserved_bytes"] == 0)
    }

    @Test func `one content is stored and counted once, until the last file that shows it is gone`()
        async throws
    {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let bytes = noise(300_000)
        var ids: [String] = []
        for name in ["one", "two", "three"] {
            ids.append(try await ada.upload(bytes, name: name).expect(201).json.text("id"))
        }
        #expect(shelf.objects(of: ada).count == 1 && shelf.unfinished(of: ada).isEmpty)
        let usage = try await ada.client.get("/v1/file-usage").json
        #expect(usage["stored_bytes"] == 300_000 && usage["files"] == 3)
        for id in ids {
            #expect(try await ada.client.get("/v1/files/\(id)/content").expect(200).body == bytes)
            try await ada.client.delete("/v1/files/\(id)").expect(204)
        }
        #expect(shelf.objects(of: ada).count == 1)
        #expect(try await ada.client.delete("/v1/file-trash").expect(200).json["purged"] == 3)
        #expect(shelf.objects(of: ada).isEmpty)
        #expect(try await ada.client.get("/v1/file-usage").json["stored_bytes"] == 0)
        // Another company's content is its own, even when it is the same.
        let bob = try await shelf.owner("Other")
        try await ada.upload(bytes).expect(201)
        try await bob.upload(bytes).expect(201)
        #expect(shelf.objects(of: ada).count == 1 && shelf.objects(of: bob).count == 1)
    }

    @Test func `another company's file does not exist`() async throws {
        let shelf = try await Shelf.shared()
        let (ada, bob) = (try await shelf.owner(), try await shelf.owner("Other"))
        let id = try await ada.upload(noise(100)).expect(201).json.text("id")
        try await bob.client.get("/v1/files/\(id)").expect(404)
        try await bob.client.get("/v1/files/\(id)/content").expect(404)
        try await bob.client.post("/v1/files/\(id)/download-url").expect(404)
        try await bob.client.delete("/v1/files/\(id)").expect(404)
        try await bob.client.post("/v1/file-archives", ["ids": [.string(id)]]).expect(422)
        let upload = try await ada.begin(10)
        #expect(try await bob.send(noise(10), to: upload, at: 0).status == 404)
        #expect(try await bob.tus.send("HEAD", upload).status == 404)
    }

    @Test func `a member deletes what is his and nothing else`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let tom = try await ada.colleague(.member, name: "Tom")
        let viewer = try await ada.colleague(.viewer, name: "Vic")
        let hers = try await ada.upload(noise(10, 3)).expect(201).json.text("id")
        let his = try await tom.upload(noise(10, 4)).expect(201).json.text("id")
        try await tom.client.delete("/v1/files/\(hers)").expect(403)
        try await tom.client.delete("/v1/files/\(his)").expect(204)
        try await tom.client.delete("/v1/file-trash/\(his)").expect(403)
        try await viewer.client.get("/v1/files/\(hers)/content").expect(200)
        #expect(try await viewer.upload(noise(10)).status == 403)
    }

    @Test func `what is no sound form is refused and leaves nothing behind`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        #expect(try await ada.upload([]).code == "file-empty")
        #expect(try await ada.upload(noise(10), ["colour": "red"]).status == 422)
        #expect(try await ada.upload(noise(10), ["purpose": "Not So"]).status == 422)
        #expect(
            try await ada.upload([0x7F, 0x45, 0x4C, 0x46] + noise(100), name: "picture.png").code
                == "file-type-refused")
        let cut = Array(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nabc".utf8)
        try await ada.client.send("POST", "/v1/files", body: cut, type: "multipart/form-data; boundary=b")
            .expect(400)
        let none = Array("--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nabc\r\n--b--\r\n".utf8)
        let answer = try await ada.client.send(
            "POST", "/v1/files", body: none, type: "multipart/form-data; boundary=b")
        #expect(answer.code == "file-missing-in-form")
        try await ada.client.post("/v1/files", ["a": 1]).expect(415)
        #expect(shelf.objects(of: ada).isEmpty && shelf.unfinished(of: ada).isEmpty)
        #expect(try await ada.client.get("/v1/file-usage").json["stored_bytes"] == 0)
    }

    @Test func `several files come as one archive`() async throws {
        let ada = try await Shelf.shared().owner()
        var ids: [JSON] = []
        for (name, bytes) in [
            ("a.txt", Array(String(repeating: "hello ", count: 10_000).utf8)), ("a.txt", noise(400_000)),
            ("b.png", Picture.png),
        ] {
            ids.append(.string(try await ada.upload(bytes, name: name).expect(201).json.text("id")))
        }
        let answer = try await ada.client.post(
            "/v1/file-archives", ["ids": .array(ids), "name": "alles.zip"]
        ).expect(200)
        #expect(answer.header("content-type") == "application/zip")
        #expect(answer.body.starts(with: [0x50, 0x4B, 3, 4]))
        #expect(answer.body.count > 400_000 && answer.body.count < 410_000)
    }

    @Test func `rows tell of the acts`() async throws {
        let shelf = try await Shelf.shared()
        let ada = try await shelf.owner()
        let id = try await ada.upload(noise(50)).expect(201).json.text("id")
        try await ada.client.delete("/v1/files/\(id)").expect(204)
        let acts =
            try await ada.client.get("/v1/activity?limit=100").expect(200).json["data"]?.arrayValue ?? []
        let actions = acts.filter { $0["target_id"]?.stringValue == id }.compactMap {
            $0["action"]?.stringValue
        }
        #expect(Set(actions) == ["file.uploaded", "file.deleted"])
    }
}
