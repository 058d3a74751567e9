import API
import Wire

/// A kind of event: something that has happened in a company, with the form of what is told about it.
public struct EventType<Data: Codable & Sendable>: Sendable {
    public let name: String
    public let summary: String
    public let example: Data

    /// - Parameter name: `resource.happened`, as `team.created`; it is a promise to those outside and never changes.
    public init(_ name: String, _ summary: String, example: Data) {
        self.name = name
        self.summary = summary
        self.example = example
    }

    /// Without the type of its data, for the catalogue.
    public var erased: AnyEventType { AnyEventType(self) }
}

/// An event type in the catalogue of all.
public struct AnyEventType: Sendable {
    public let name: String
    public let summary: String
    public let dataType: any (Codable & Sendable).Type
    public let example: JSON

    init<Data>(_ type: EventType<Data>) {
        name = type.name
        summary = type.summary
        dataType = Data.self
        do {
            example = try JSON(encoding: type.example)
        } catch {
            preconditionFailure("the example of the event \(type.name) cannot be written as JSON: \(error)")
        }
    }
}
