import Core
import Postgres
import TestSupport
import Testing
import Wire

@testable import CRM

/// A company with its default pipeline, and the ways to put deals into it.
struct SalesFloor: Sendable {
    let world: World
    let company: UUID
    let pipeline: String
    /// By their names.
    let stages: [String: String]

    var client: Client { world.owner.client }
    var database: Database { world.server.instance.database }
    var actor: Audit.Actor { Audit.Actor(.user, id: UUID(world.owner.userId)) }

    init(_ name: String = "Sales Floor") async throws {
        world = try await World(name)
        company = try #require(world.owner.companyId.flatMap { UUID($0) })
        let first = try #require(
            await world.owner.client.get("/v1/pipelines").expect(200).json["data"]?.arrayValue?.first)
        pipeline = try first.text("id")
        var stages: [String: String] = [:]
        for stage in first["stages"]?.arrayValue ?? [] {
            stages[try stage.text("name")] = try stage.text("id")
        }
        self.stages = stages
    }

    func stage(_ name: String) throws -> String { try #require(stages[name]) }

    @discardableResult
    func deal(_ name: String, _ more: JSON.Object = [:], by person: Person? = nil) async throws -> String {
        var body: JSON.Object = ["name": .string(name)]
        for (key, value) in more.members { body[key] = value }
        return try await (person ?? world.owner).client.post("/v1/deals", .object(body)).expect(201).json
            .text("id")
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) async throws -> Value) async throws
        -> Value
    {
        try await database.transaction(as: Tenant(company: company), body)
    }

    /// A deal that went through these stages at these moments.
    @discardableResult
    func told(_ name: String, amount: Int64? = nil, owner: UUID? = nil, _ way: [(stage: String, at: String)])
        async throws -> UUID
    {
        var draft = DealWriting.Draft(name: name)
        draft.ownerId = owner
        if let amount { (draft.amountMinor, draft.currency) = (amount, "EUR") }
        draft.stageId = UUID(try stage(way[0].stage))
        draft.at = Timestamp(way[0].at)
        let (actor, company, first) = (actor, company, draft)
        let rest = try way.dropFirst().map { (UUID(try stage($0.stage))!, Timestamp($0.at)) }
        return try await write { tx in
            let deal = try await DealWriting.create(first, by: actor, company: company, in: tx)
            for (stage, at) in rest {
                try await DealWriting.move(
                    [deal], to: stage, .init(at: at), by: actor, company: company, in: tx)
            }
            return deal
        }
    }

    func record(_ table: String, _ name: String, owner: UUID? = nil) async throws -> String {
        let (id, company) = (UUID.v7(), company)
        _ = try await write { tx in
            try await tx.query(
                "INSERT INTO \(unescaped: table) (company_id, id, name, owner_id) VALUES (\(company), \(id), \(name), \(owner))"
            )
        }
        return id.description
    }
}

extension Client {
    /// With the version that is there now.
    func changing(_ path: String, _ body: JSON) async throws -> Answer {
        let tag = try await get(path).expect(200).header("etag") ?? ""
        return try await with(header: "If-Match", tag).patch(path, body)
    }
}
