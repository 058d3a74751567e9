import Core

extension FilesDomain {
    public static let personalData: [PersonalData] = [
        PersonalData(
            "files", "Files somebody has uploaded", of: .user("uploaded_by"),
            erase: .blank("uploaded_by = NULL")),
        PersonalData(
            "uploads", "Uploads somebody has begun", of: .user("user_id"), hiding: ["head"],
            erase: .keep("It is gone a day after its last request, with the room that is set aside for it.")),
        .none("file_blobs", "which contents are stored, by their digests"),
        .none("file_refs", "what uses which file"),
        .none("file_deadlines", "when files and uploads end"),
    ]

    public static let retention: [RetentionClass] = [
        RetentionClass(
            "deleted_files", "Files in the trash; the operator may choose another time", table: "files",
            since: "deleted_at", only: "t.state = 'deleted'", days: 30, isSweptElsewhere: true)
    ]
}
