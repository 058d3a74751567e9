import API

extension ProblemCode {
    static let fileTooLarge = ProblemCode(
        "file-too-large", 413, "The file is larger than allowed",
        advice:
            "`bytes_max` says how large a file may be. What does not fit into one request goes through /v1/uploads."
    )
    static let fileEmpty = ProblemCode(
        "file-empty", 422, "The file has no content", advice: "Send a file with at least one byte.")
    static let fileTypeRefused = ProblemCode(
        "file-type-refused", 415, "Files of this type are not taken",
        advice:
            "`content_type` is what the content says it is, whatever its name; the operator decides what is taken."
    )
    static let fileMissingInForm = ProblemCode(
        "file-missing-in-form", 422, "The form has no file",
        advice: "Send multipart/form-data with one part named `file` that has a file name.")
    static let fileNotReady = ProblemCode(
        "file-not-ready", 409, "The file cannot be used yet",
        advice: "It is being looked through for malware, was refused, or lies in the trash: see its `state`.")
    static let fileInUse = ProblemCode(
        "file-in-use", 409, "Something uses this file",
        advice: "Take it out of use first; `used_by` names what uses it.")
    static let fileContentLost = ProblemCode(
        "file-content-lost", 500, "The content of this file is lost",
        advice:
            "Upload the same content once more, which restores every file that shows it, and tell the operator."
    )
    static let linkInvalid = ProblemCode(
        "link-invalid", 404, "This link leads nowhere",
        advice: "It was altered, has expired, or the file is gone. Ask for a new one.")
    static let tusVersion = ProblemCode(
        "tus-version", 412, "Another version of the tus protocol is needed",
        advice: "Send `Tus-Resumable: 1.0.0`.")
    static let uploadOffset = ProblemCode(
        "upload-offset-mismatch", 409, "The upload stands at another place",
        advice: "Ask with HEAD how far it has come and go on from `Upload-Offset`.")
    static let uploadChecksum = ProblemCode(
        "upload-checksum-mismatch", 460, "The bytes are not those of the checksum",
        advice: "Nothing of this request was kept. Send it again from the same offset.")
    static let uploadBusy = ProblemCode(
        "upload-busy", 423, "Another request is writing this upload",
        advice:
            "Wait for it to end, or half a minute if its connection is dead; then ask for the offset and go on."
    )
    static let uploadOver = ProblemCode(
        "upload-over", 410, "This upload has ended",
        advice: "It came to nothing, as the detail says. Begin a new one.")
    static let uploadElsewhere = ProblemCode(
        "upload-elsewhere", 409, "The bytes so far lie with another instance",
        advice:
            "Instances can go on with each other's uploads when they share a folder or a bucket (docs/files.md)."
    )
    static let tooManyUploads = ProblemCode(
        "too-many-uploads", 409, "Too many uploads are open",
        advice: "Finish some of them, or end them with DELETE.")

    static let ofFiles: [ProblemCode] = [
        fileTooLarge, fileEmpty, fileTypeRefused, fileMissingInForm, fileNotReady, fileInUse, fileContentLost,
        linkInvalid, tusVersion, uploadOffset, uploadChecksum, uploadBusy, uploadOver, uploadElsewhere,
        tooManyUploads,
    ]
}
