import Core

extension FilesDomain {
    public static let personalData: [PersonalData] = [
        PersonalData(
            "files", "Files somebody has uploaded", of: .user("uploaded_by"),
            erase: .blank("uploaded_by = NULL")),
        PersonalData("uploads", "Uploads somebody has begun", of: .user("user_id"), hiding: ["head"], erase: .delete),
        .none("file_blobs", "which contents are stored, by their digests"),
        .none("file_refs", "what uses which file"),
        .none("file_deadlines", "when files and uploads end"),
    ]
}
