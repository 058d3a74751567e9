import API
import Core
import HTTP
import Postgres
import Wire

/// A file on its way to somebody: the answer with its bytes, and with the fields that keep them from doing harm.
///
/// Shown in the page are pictures, sound, film and plain text alone. Everything else is for saving; what a browser could
/// run (HTML, SVG, XML) does not even keep its name of type. Whatever happens to it then, the policy lets nothing run.
struct FileDelivery: Sendable {
    enum Manner: String, Codable, CaseIterable, Sendable {
        /// In the page, where the content is harmless.
        case inline
        case attachment
    }

    let name: String
    let type: ContentType
    let length: Int
    let tag: EntityTag
    let changedAt: Timestamp
    let key: StorageKey

    static func select(_ company: UUID) -> SQL {
        """
        SELECT f.name, f.type, f.size_bytes, encode(f.sha256, 'hex') AS sha256, f.created_at, f.state, b.object_id
          FROM files f
          LEFT JOIN file_blobs b ON b.company_id = f.company_id AND b.id = f.blob_id
         WHERE f.company_id = \(company)
        """
    }

    init(_ row: Row, company: UUID) throws {
        guard try row.get("state", as: FileState.self) == .ready else { throw Problem(.fileNotReady) }
        name = try row.get("name")
        type = ContentType(name: try row.get("type"))
        length = try row.get("size_bytes")
        tag = EntityTag(try row.get("sha256", as: String.self))
        changedAt = try row.get("created_at")
        key = StorageKey(company: company, id: try row.get("object_id"))
    }

    func response(_ manner: Manner, _ request: Request, _ parts: FileParts) async throws -> Response {
        if let condition = request.headerList("if-none-match").flatMap({ EntityTagCondition($0) }),
            condition.holds(tag)
        {
            return Response(status: 304, headers: validators)
        }
        var headers = validators
        headers.add("content-type", type.sentAs)
        headers.add("content-disposition", disposition(manner))
        headers.add("content-security-policy", "default-src 'none'; sandbox" as StaticString)
        if request.method == .head {
            headers.add("accept-ranges", "bytes" as StaticString)
            return .stream(headers: headers, length: length) { _ in }
        }
        let part: Range<Int>?
        switch rangeAsked(request) {
        case .whole: part = nil
        case .part(let range): part = range
        case .unsatisfiable:
            headers.remove("content-type")
            headers.add("accept-ranges", "bytes" as StaticString)
            headers.add("content-range", ByteRange.contentRange(nil, length: length))
            return Response(status: 416, headers: headers)
        }
        switch try await parts.storage.body(key, length: length, range: part) {
        case .file(let file): return Response(status: 200, headers: headers, body: .file(file))
        case .stream(let produce):
            headers.add("accept-ranges", "bytes" as StaticString)
            if let part { headers.add("content-range", ByteRange.contentRange(part, length: length)) }
            return .stream(
                status: part == nil ? 200 : 206, headers: headers, length: part?.count ?? length, produce)
        }
    }

    /// The way to the storage itself, where there is one; no page of ours ever runs at that address.
    func redirect(_ manner: Manner, _ parts: FileParts) -> Response? {
        let url = parts.storage.directURL(
            key, type: type.sentAs, disposition: disposition(manner), seconds: FileLimits.redirectSeconds)
        guard let url else { return nil }
        var headers = ResponseHeaders()
        headers.add("location", url)
        headers.add("cache-control", "no-store" as StaticString)
        return Response(status: 302, headers: headers)
    }

    private func rangeAsked(_ request: Request) -> ByteRange {
        guard let field = request.header("range") else { return .whole }
        if let condition = request.header("if-range"),
            !ByteRange.holds(ifRange: condition, tag: tag, lastModified: changedAt)
        {
            return .whole
        }
        return ByteRange(field, length: length)
    }

    private var validators: ResponseHeaders {
        var headers = ResponseHeaders()
        headers.add("etag", tag.description)
        headers.add("last-modified", HTTPDate.string(changedAt))
        return headers
    }

    private func disposition(_ manner: Manner) -> String {
        let attachment = ContentDisposition.attachment(name)
        return manner == .inline && type.isHarmless
            ? "inline" + attachment.dropFirst("attachment".count) : attachment
    }
}

extension ContentType {
    /// The type that is told with the bytes.
    fileprivate var sentAs: String {
        if isHarmless { return name == "text/plain" ? "text/plain; charset=utf-8" : name }
        switch name {
        case "text/html", "image/svg+xml", "application/xhtml+xml", "application/xml":
            return "application/octet-stream"
        default: return name
        }
    }
}
