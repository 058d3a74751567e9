import API
import Core
import Postgres
import Wire

/// The room a company has in the storage, counted in the transaction that fills it. A content is counted once, however
/// many files show it, and until the last of them is gone for good: the trash takes room too.
enum StorageQuota {
    static let quota = Quota(
        "storage_bytes", "Bytes of stored files", unit: "bytes", limit: 10 << 30)

    /// Less than nothing gives back.
    static func take(_ bytes: Int, company: UUID, in tx: Transaction) async throws {
        if bytes > 0 {
            _ = try await Quotas.take(quota, Int64(bytes), company: company, in: tx)
        } else if bytes < 0 {
            try await Quotas.giveBack(quota, Int64(-bytes), company: company, in: tx)
        }
    }

    /// Refuses early what would be refused late, so that nobody sends gigabytes in vain. It decides nothing.
    static func check(room bytes: Int, _ call: Call) async throws {
        let company = try call.company
        try await call.db.transaction { tx in
            let standing = try await Quotas.standing(quota, company: company, in: tx)
            // The content may be there already, and a form is a little longer than its file.
            guard let left = standing.remaining, Int64(bytes - FileLimits.formBytes) > left else { return }
            throw Problem(.quotaUsedUp, "\(bytes) bytes more do not fit: \(left) are left.")
                .with("quota", .string(quota.name)).with("unit", .string(quota.unit))
                .with("limit", standing.ceiling.map { JSON($0) } ?? .null).with("used", JSON(standing.used))
                .with("requested", JSON(bytes))
        }
    }
}
