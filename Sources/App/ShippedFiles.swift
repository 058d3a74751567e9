import Core
import Glibc

/// The files that come with the program: Migrations, Seeds, and what the documentation page is made of.
///
/// They are looked for in the source the program was built in, then where packages and images put them.
public enum ShippedFiles {
    public static let installed = "/usr/share/infinity"

    /// The first place that has this folder.
    public static func folder(_ name: String) -> String? {
        (sources + [installed]).map { "\($0)/\(name)" }.first(where: Folder.exists)
    }

    public static var migrations: String { folder("Migrations") ?? installed + "/Migrations" }
    public static var seeds: String { folder("Seeds") ?? installed + "/Seeds" }
    public static var documentationAssets: String? { folder(".build/docs-assets") ?? folder("docs-assets") }

    /// The folders above the program that hold a package of Swift: `…/.build/release/infinity` is run from there.
    private static var sources: [String] {
        let parts = programPath.split(separator: "/").dropLast()
        let parents = (0..<min(parts.count, 5)).map { drop in
            parts.dropLast(drop).reduce(into: "") { $0 += "/" + $1 }
        }
        return parents.filter { access($0 + "/Package.swift", F_OK) == 0 }
    }

    private static var programPath: String {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
