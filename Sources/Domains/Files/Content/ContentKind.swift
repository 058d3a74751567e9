import Core
import Postgres

/// What a file is good for, in the words a person sorts files by.
enum ContentKind: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    case image, video, audio, document, text, archive, program, other

    init(of type: String) {
        self =
            if type == "image/svg+xml" || type == "text/html" {
                .document
            } else if type.hasPrefix("image/") {
                .image
            } else if type.hasPrefix("video/") {
                .video
            } else if type.hasPrefix("audio/") {
                .audio
            } else if type.hasPrefix("text/") {
                .text
            } else if ContentKind.archives.contains(type) {
                .archive
            } else if ContentKind.programs.contains(type) {
                .program
            } else if type == "application/octet-stream" || type.hasPrefix("font/") {
                .other
            } else {
                .document
            }
    }

    private static let archives: Set = [
        "application/zip", "application/gzip", "application/x-7z-compressed", "application/vnd.rar",
        "application/x-tar",
        "application/x-bzip2", "application/x-xz", "application/zstd",
    ]

    static let programs: Set = [
        "application/x-elf", "application/vnd.microsoft.portable-executable", "application/x-mach-binary",
        "application/wasm", "application/java-vm", "application/x-script",
    ]
}
