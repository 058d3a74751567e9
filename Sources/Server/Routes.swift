import API
import App
import ArgumentParser

struct Routes: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print every endpoint, with who may call it.")

    func run() {
        let lines = Instance.routes.flatMap(\.routes).map { route in
            [route.method.name.description, route.path, holder(of: route.access), route.summary]
        }
        let widths = (0..<3).map { column in lines.map { $0[column].count }.max() ?? 0 }
        for line in lines {
            let padded = zip(line, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            print((padded + [line[3]]).joined(separator: "  "))
        }
    }

    private func holder(of access: Access) -> String {
        switch access {
        case .open: "anybody"
        case .signedIn: "signed in"
        case .member: "any member"
        case .operator: "operators"
        case .can(let permission): permission.name
        }
    }
}
