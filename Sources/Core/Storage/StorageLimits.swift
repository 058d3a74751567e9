/// The limits of writing and reading stored objects, each with its reason.
public enum StorageLimits {
    /// Written to the disk in one go: few hops to a thread, little memory for each upload.
    static let writtenAtOnceBytes = 256 << 10
    static let readAtOnceBytes = 256 << 10
    /// A part of a multipart upload. S3 takes no less than 5 MiB and at most 10,000: 80 GiB of object.
    static let partBytes = 8 << 20
    static let partBytesMin = 5 << 20
    /// Objects told at once while the storage is gone through.
    static let listedAtOnce = 500
    /// A piece of a content on its way to clamd, and how long clamd may keep silent.
    static let scanPieceBytes = 64 << 10
    static let scanSeconds = 120
    /// Threads that wait for the disk, and what may wait for them.
    public static let workers = 4
    public static let queued = 1024
}
