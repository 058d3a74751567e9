/// What a person calls the thing she signs in with, read from its User-Agent: "Firefox on Linux".
enum DeviceName {
    static func of(_ userAgent: String) -> String {
        let program = first(userAgent, programs)
        let system = first(userAgent, systems)
        switch (program, system) {
        case (let program?, let system?): return "\(program) on \(system)"
        case (let program?, nil): return program
        case (nil, let system?): return "A program on \(system)"
        case (nil, nil):
            let name = userAgent.prefix { $0.isLetter || $0.isNumber || "-_. ".contains($0) }.prefix(40)
            return name.isEmpty ? "An unknown program" : String(name)
        }
    }

    private static func first(_ text: String, _ marks: [(mark: String, name: String)]) -> String? {
        marks.first { text.contains($0.mark) }?.name
    }

    /// In an order in which the first that fits is right: Edge also calls itself Chrome, and Chrome Safari.
    private static let programs: [(mark: String, name: String)] = [
        ("Edg/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Vivaldi", "Vivaldi"),
        ("HeadlessChrome", "Headless Chrome"), ("CriOS", "Chrome"), ("Chrome/", "Chrome"),
        ("FxiOS", "Firefox"),
        ("Firefox/", "Firefox"), ("Safari/", "Safari"), ("curl/", "curl"), ("Wget/", "Wget"),
        ("PostmanRuntime", "Postman"), ("insomnia", "Insomnia"), ("python-httpx", "Python"),
        ("python-requests", "Python"), ("Python", "Python"), ("Go-http-client", "Go"), ("okhttp", "OkHttp"),
        ("Java/", "Java"), ("node", "Node.js"), ("axios", "axios"), ("Dart/", "Dart"),
        ("CFNetwork", "An Apple app"),
    ]

    private static let systems: [(mark: String, name: String)] = [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"),
        ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Macintosh", "macOS"), ("Darwin", "macOS"),
        ("Linux", "Linux"), ("FreeBSD", "FreeBSD"),
    ]
}
