import API
import HTTP
import Wire

/// The parts of an upload's form, in whatever order they come.
// @unchecked Sendable: used by the one task that reads the form.
final class FileForm: MultipartSink, @unchecked Sendable {
    let intake: Intake
    private var head: PartHead?
    private var fileHead: PartHead?
    private var field: [UInt8] = []
    private var fields: [String: String] = [:]

    init(_ intake: Intake) { self.intake = intake }

    func read(_ call: Call, as type: MediaType) async throws {
        let limits = MultipartLimits(
            partBytes: FileLimits.requestBytes, totalBytes: FileLimits.requestBytes,
            parts: FileLimits.formParts)
        var sink = self
        do {
            try await Multipart.read(contentType: type, limits: limits, into: &sink) {
                try await call.request.body.next()
            }
        } catch let error as MultipartError {
            throw Self.problem(for: error)
        }
    }

    func begin(_ part: PartHead) async throws {
        head = part
        field = []
        guard part.isFile else { return }
        guard part.name == "file", fileHead == nil else {
            throw Problem.unprocessable(
                "/\(part.name)", "unexpected", "is a file, and only one is taken, named `file`")
        }
        fileHead = part
    }

    func write(_ bytes: [UInt8]) async throws {
        guard let head else { return }
        if head.isFile { return try await intake.take(bytes) }
        field += bytes
        guard field.count <= FileLimits.formFieldBytes else {
            throw Problem.unprocessable(
                "/\(head.name)", "too-long", "may have \(FileLimits.formFieldBytes) bytes")
        }
    }

    func end() async throws {
        guard let head, !head.isFile else { return }
        guard let text = String(validating: field, as: UTF8.self) else {
            throw Problem.unprocessable("/\(head.name)", "invalid", "is not UTF-8")
        }
        fields[head.name] = text
    }

    /// What the form says of its file; every fault of its fields at once.
    func file(id: UUID, uploadedBy: UUID?) throws(Problem) -> NewFile {
        guard let fileHead else { throw Problem(.fileMissingInForm) }
        var description = FileDescription()
        let unknown = description.take(fields)
        for name in unknown {
            description.faults.append(.at("/\(name)", "unknown-field", "is no field of this form"))
        }
        if !description.faults.isEmpty { throw .unprocessable(description.faults) }
        return NewFile(
            id: id, name: description.name ?? FileName(from: fileHead.filename),
            declaredType: FileDescription.mediaType(fileHead.contentType),
            purpose: description.purpose ?? .general,
            tags: description.tags, uploadedBy: uploadedBy)
    }

    private static func problem(for error: MultipartError) -> Problem {
        switch error {
        case .tooLarge, .partTooLarge: Problem(.fileTooLarge).with("bytes_max", JSON(FileLimits.requestBytes))
        case .tooManyParts: Problem(.badRequest, "The form has more than \(FileLimits.formParts) parts.")
        default: Problem(.badRequest, "The body is no valid multipart/form-data: \(error).")
        }
    }
}

/// Name, purpose and tags of a file as texts from outside.
struct FileDescription {
    var name: FileName?
    var purpose: FilePurpose?
    var tags: [FileTag] = []
    var faults: [Fault] = []

    /// Returns the names it does not know.
    mutating func take(_ fields: [String: String]) -> [String] {
        var unknown: [String] = []
        for (field, text) in fields.sorted(by: { $0.key < $1.key }) {
            switch field {
            case "name":
                name = FileName(text)
                if name == nil {
                    fault(field, "must be 1 to \(FileLimits.nameLength) characters without slashes")
                }
            case "purpose":
                purpose = FilePurpose(text)
                if purpose == nil { fault(field, "takes small letters, digits, - and _") }
            case "tags": readTags(text)
            default: unknown.append(field)
            }
        }
        return unknown
    }

    private mutating func readTags(_ text: String) {
        let texts = text.split(separator: ",").map { $0.drop { $0 == " " } }
        tags = texts.compactMap { FileTag(String($0.reversed().drop { $0 == " " }.reversed())) }
        if tags.count < texts.count || tags.count > FileLimits.tagsMax {
            fault(
                "tags", "must be up to \(FileLimits.tagsMax) tags of up to \(FileLimits.tagLength) characters"
            )
        }
    }

    private mutating func fault(_ field: String, _ detail: String) {
        faults.append(.at("/\(field)", "invalid", detail))
    }

    /// What the sender calls the content, as far as it is a media type.
    static func mediaType(_ text: String?) -> String? {
        text.flatMap { MediaType($0) }.map { String($0.essence.prefix(100)) }
    }
}
