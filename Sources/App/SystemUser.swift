import Glibc

/// A user of the operating system.
struct SystemUser {
    let name: String
    let uid: uid_t
    let gid: gid_t
    let home: String

    static func named(_ name: String) -> SystemUser? { look { getpwnam_r(name, $0, $1, $2, $3) } }
    static func numbered(_ uid: uid_t) -> SystemUser? { look { getpwuid_r(uid, $0, $1, $2, $3) } }
    static var current: SystemUser? { numbered(geteuid()) }

    private typealias Lookup = (
        UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32

    private static func look(_ lookup: Lookup) -> SystemUser? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16384) { buffer in
            guard lookup(&entry, buffer.baseAddress!, buffer.count, &found) == 0, found != nil else {
                return nil
            }
            return SystemUser(
                name: String(cString: entry.pw_name), uid: entry.pw_uid, gid: entry.pw_gid,
                home: String(cString: entry.pw_dir))
        }
    }

    /// The first folder on the way to `path` that this user may not enter, or nil.
    func closedFolder(onTheWayTo path: String) -> String? {
        var folder = ""
        for part in path.split(separator: "/") {
            folder += "/" + part
            var status = stat()
            guard stat(folder, &status) == 0 else { return nil }
            let mode = status.st_mode
            let mayEnter =
                status.st_uid == uid
                ? mode & 0o100 != 0 : status.st_gid == gid ? mode & 0o010 != 0 : mode & 0o001 != 0
            if !mayEnter { return folder }
        }
        return nil
    }
}
