// swift-tools-version: 6.2
import PackageDescription

/// Targets from the bottom up; each may import only what stands above it in this file (ARCHITECTURE.md says why).
let package = Package(
    name: "infinity",
    products: [.executable(name: "infinity", targets: ["infinity"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    ],
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CLibPQ"),
        .systemLibrary(name: "COpenSSL"),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CCurl"),
        .systemLibrary(name: "CCrypt"),

        .target(name: "Wire", dependencies: ["CLinux"]),
        .target(name: "Loop", dependencies: ["CLinux"]),
        .target(name: "Crypto", dependencies: ["Wire", "COpenSSL", "CCrypt"]),
        .target(name: "Telemetry", dependencies: ["Wire", "Loop", log]),
        .target(name: "HTTP", dependencies: ["Wire", "Loop", "COpenSSL", "CZlib"]),
        .target(name: "Outbound", dependencies: ["Wire", "Loop", "CCurl"]),
        .target(name: "Postgres", dependencies: ["Wire", "Loop", "CLibPQ"]),
        .target(name: "API", dependencies: ["Wire", "Loop", "Crypto", "Telemetry", "HTTP", "Postgres", log]),
        .target(name: "Core", dependencies: ["API", "Outbound", "Crypto", "Telemetry", mustache, log]),
        domain("Auth"),
        domain("Companies"),
        domain("BackgroundWork"),
        domain("Webhooks"),
        domain("Notifications"),
        domain("Files"),
        domain("AuditTrail"),
        domain("Privacy"),
        domain("Config"),
        domain("Workspace"),
        domain("Projects"),
        domain("CRM"),
        .target(
            name: "App",
            dependencies: [
                "Core", "Auth", "Companies", "BackgroundWork", "Webhooks", "Notifications", "Files",
                "AuditTrail", "Privacy", "Config",
                "Workspace", "Projects", "CRM", log,
            ]),
        .executableTarget(
            name: "infinity",
            dependencies: ["App", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Sources/Server"),

        .executableTarget(
            name: "webhook-bench", dependencies: ["Outbound", "HTTP", "Crypto", "Loop", "Wire"],
            path: "bench/webhooks",
            exclude: ["run.py", "floor.c"]),

        .executableTarget(
            name: "jobs-bench", dependencies: ["Core"], path: "bench/jobs",
            exclude: ["run.py", "peer.py", "requirements.txt"]),

        .target(name: "TestCluster", dependencies: ["CLinux"], path: "Tests/TestCluster"),
        .target(name: "TestSupport", dependencies: ["App", "TestCluster"], path: "Tests/TestSupport"),
        .testTarget(name: "WireTests", dependencies: ["Wire"]),
        .testTarget(name: "LoopTests", dependencies: ["Loop", "CLinux"]),
        .testTarget(name: "CryptoTests", dependencies: ["Crypto"]),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"]),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP", "Wire", "Loop", "COpenSSL"]),
        .testTarget(name: "OutboundTests", dependencies: ["Outbound", "Wire", "Loop"], exclude: ["Servers"]),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "TestCluster"]),
        .testTarget(name: "APITests", dependencies: ["API", "TestCluster"]),
        .testTarget(name: "CoreTests", dependencies: ["Core", "TestCluster"], exclude: ["cron-table.csv"]),
        .testTarget(name: "AppTests", dependencies: ["App", "TestCluster", "TestSupport"]),
        domainTests("Auth"),
        domainTests("Companies"),
        domainTests("BackgroundWork"),
        domainTests("Webhooks"),
        domainTests("Notifications"),
        domainTests("Files"),
        domainTests("AuditTrail"),
        domainTests("Privacy"),
        domainTests("Config"),
        domainTests("Workspace"),
        domainTests("Projects"),
        domainTests("CRM"),
        .testTarget(name: "EveryRouteTests", dependencies: ["App", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)

// What a change must pass knows no warnings.
let isChecked = Context.environment["CI"] == "true"
// Whether two parts of the program touch one value at once is checked at run time in every build but the shipped one: the
// tests run with the check, and it costs the shipped one a fifteenth of a small request.
for target in package.targets where [.regular, .executable, .test].contains(target.type) {
    target.swiftSettings = [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]
    if isChecked { target.swiftSettings?.append(.treatAllWarnings(as: .error)) }
}

var log: Target.Dependency { .product(name: "Logging", package: "swift-log") }
var mustache: Target.Dependency { .product(name: "Mustache", package: "swift-mustache") }

func domain(_ name: String) -> Target {
    .target(name: name, dependencies: ["Core"], path: "Sources/Domains/\(name)")
}

func domainTests(_ name: String) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: ["App", "TestSupport", "TestCluster"],
        path: "Tests/Domains/\(name)Tests")
}
