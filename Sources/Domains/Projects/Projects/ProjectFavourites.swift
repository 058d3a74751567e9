import API
import Postgres
import Wire

/// The projects somebody keeps at hand.
enum ProjectFavourites {
    @RouteList static var routes: [Route] {
        PUT("/v1/projects/{id}/favourite", "Make a project one of my favourites", .can(.projectsRead), add)
            .operation("addFavouriteProject")
        DELETE(
            "/v1/projects/{id}/favourite", "Make a project no favourite of mine", .can(.projectsRead), remove
        )
        .operation("removeFavouriteProject")
    }

    static func add(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let head = try await ProjectAccess.require(.see, in: id.value, call)
        _ = try await call.db.write([
            """
            INSERT INTO project_favourites (company_id, member_id, project_id)
            VALUES (\(try call.company), \(try call.member), \(head.id)) ON CONFLICT DO NOTHING
            """
        ])
        return NoContent()
    }

    static func remove(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let head = try await ProjectAccess.require(.see, in: id.value, call)
        _ = try await call.db.write([
            """
            DELETE FROM project_favourites
             WHERE company_id = \(try call.company) AND member_id = \(try call.member) AND project_id = \(head.id)
            """
        ])
        return NoContent()
    }
}
