import Glibc
import TestCluster
import TestSupport
import Testing
import Wire

/// A server with a storage folder of its own, and what a client needs to send files to it.
struct Shelf {
    let server: TestServer
    let folder: String

    init(beside other: Shelf? = nil, sharesFolder: Bool = true, _ variables: [String: String] = [:])
        async throws
    {
        // Under the cluster's folder, which goes when the tests end.
        let cluster = try await TestCluster.shared.folder
        folder = if let other, sharesFolder { other.folder } else { "\(cluster)/shelf-\(UUID.v7())" }
        // One installation has one address, which its tokens name.
        var all = ["INFINITY_STORAGE_FOLDER": folder, "INFINITY_PUBLIC_URL": "https://files.example"]
        all.merge(variables) { _, given in given }
        server = try await TestServer(beside: other?.server, all)
    }

    /// One for all tests that keep to companies they made themselves.
    static func shared() async throws -> Shelf { try await sharedTask.value }
    private static let sharedTask = Task { try await Shelf() }

    func owner(_ company: String = "Shelf") async throws -> Person {
        try await Person(signedUpOn: server, company: company)
    }

    /// The objects of somebody's company.
    func objects(of person: Person) -> [String] {
        Self.files(under: "\(folder)/objects/\(person.companyId ?? "")")
    }
    /// What of it has been begun and is not whole.
    func unfinished(of person: Person) -> [String] {
        Self.files(under: "\(folder)/incoming").filter { $0.contains("/\(person.companyId ?? "").") }
    }

    private static func files(under path: String) -> [String] {
        guard let pipe = popen("find '\(path)' -type f 2>/dev/null | sort", "r") else { return [] }
        defer { pclose(pipe) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, pipe)
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

extension Person {
    /// Sends a file as a browser's form does.
    func upload(
        _ bytes: [UInt8], name: String = "note.txt", type: String = "text/plain",
        _ fields: [String: String] = [:]
    ) async throws -> Answer {
        let boundary = "----form\(UUID.v7())"
        var body: [UInt8] = []
        for (field, value) in fields.sorted(by: { $0.key < $1.key }) {
            body += Array(
                "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(field)\"\r\n\r\n\(value)\r\n".utf8)
        }
        body += Array(
            """
            --\(boundary)\r\nContent-Disposition: form-data; name="file"; filename="\(name)"\r\nContent-Type: \(type)\r\n\r\n
            """.utf8)
        body += bytes + Array("\r\n--\(boundary)--\r\n".utf8)
        return try await client.send(
            "POST", "/v1/files", body: body, type: "multipart/form-data; boundary=\(boundary)")
    }

    var tus: Client { client.with(header: "Tus-Resumable", "1.0.0") }

    /// Begins an upload; gives its address.
    func begin(_ length: Int, name: String = "film.bin") async throws -> String {
        let answer = try await tus.with(header: "Upload-Length", String(length))
            .with(header: "Upload-Metadata", "filename \(Base64.encode(Array(name.utf8)))").send(
                "POST", "/v1/uploads"
            )
            .expect(201)
        return try #require(answer.header("location"))
    }

    func send(_ bytes: [UInt8], to upload: String, at offset: Int, _ headers: [(String, String)] = [])
        async throws -> Answer
    {
        var client = tus.with(header: "Upload-Offset", String(offset))
        for (name, value) in headers { client = client.with(header: name, value) }
        return try await client.send("PATCH", upload, body: bytes, type: "application/offset+octet-stream")
    }

    func offset(of upload: String) async throws -> Int? {
        try await tus.send("HEAD", upload).header("upload-offset").flatMap { Int($0) }
    }
}

/// Bytes that look like noise and are the same each time.
func noise(_ count: Int, _ seed: UInt64 = 1) -> [UInt8] {
    var state = 88_172_645_463_325_252 &+ seed &* 0x9E37_79B9_7F4A_7C15
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        withUnsafeBytes(of: state) { bytes.append(contentsOf: $0) }
    }
    return Array(bytes.prefix(count))
}

/// The smallest pictures there are.
enum Picture {
    /// One pixel.
    static let png: [UInt8] = Base64.decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")!
    static let gif: [UInt8] = Base64.decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")!
    static let svg = Array("<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".utf8)
}

/// The test's own surroundings do not work.
struct Broken: Error, CustomStringConvertible {
    let description: String
}
