import API
import HTTP
import Wire

/// A report that can be printed and drawn.
public protocol DrawnReport: Sendable {
    /// What it looks like as JSON.
    associatedtype Shape: Codable & Sendable
    func write(into out: ByteWriter) throws
    var chart: Chart { get }
}

extension DrawnReport where Self: Codable {
    public typealias Shape = Self
    public func write(into out: ByteWriter) throws { try out.writeJSON(self) }
}

/// A report as JSON.
public struct ReportAnswer<Report: DrawnReport>: RouteOutput {
    public let report: Report

    public init(report: Report) { self.report = report }

    public static func part() throws(Schema.ProbeError) -> OutputPart {
        OutputPart(status: 200, shape: .single(try Schema.of(Report.Shape.self, as: .output)))
    }

    public func response(to call: Call) throws -> Response {
        let out = ByteWriter(capacity: 16 << 10)
        try report.write(into: out)
        var response = Response(status: 200, body: .buffer(out))
        response.headers.add("content-type", "application/json" as StaticString)
        return response
    }
}
