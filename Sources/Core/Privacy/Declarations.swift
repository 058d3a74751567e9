/// What all domains declare about the data they keep; the app puts it into the environment.
public struct Declarations: Sendable {
    public let personal: [PersonalData]
    public let retention: [RetentionClass]

    public init(_ domains: [any Domain.Type]) {
        personal = domains.flatMap { $0.personalData }
        retention = domains.flatMap { $0.retention }
    }
}
