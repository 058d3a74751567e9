import API
import Core
import Postgres

/// What every domain's objects may have and is therefore made once: tags, custom fields, saved views, comments, imports,
/// exports and calendar feeds.
///
/// Owns tags, custom_fields, comments, saved_views, imports, exports and calendar_feeds with what
/// hangs on them. Which things there are, who may see them and where their tags and values stand, the
/// domains say by the ports in Core/Workspace; it writes their taggings and values only when a tag or a field goes.
public enum WorkspaceDomain: Domain {
    public static let name = "Workspace"
    public static let summary =
        "Tags, custom fields, saved views, comments, imports, exports and calendar feeds."

    public static var routes: [Route] {
        TagRoutes.routes
            + FieldRoutes.routes
            + CommentRoutes.routes
            + ViewRoutes.routes
            + ImportRoutes.routes
            + ExportRoutes.routes
            + CalendarRoutes.routes
            + SearchRoutes.routes
    }

    public static let permissions: [Permission] = [
        .tagsRead, .tagsWrite, .tagsManage, .customFieldsManage, .commentsInternal, .viewsShare, .viewsManage,
        .importsRun, .importsManage, .exportsRun,
    ]
    public static let problems = ProblemCode.ofWorkspace
    public static let constraints = [
        ConstraintProblem("tags_name_key", .tagNameTaken, pointer: "/name"),
        ConstraintProblem("custom_fields_key_key", .customFieldKeyTaken, pointer: "/key"),
    ]
    public static let events =
        TagEvents.all + FieldEvents.all + CommentEvents.all + ViewEvents.all + ImportEvents.all
        + ExportEvents.all
    public static let handovers = [ViewEvents.handover]
    public static let notifications = CommentNews.all + ImportEvents.news + ExportEvents.news
    public static let jobs = [FieldCleaning.handler, ImportWork.handler, ExportWork.handler]
    public static let queues = [ImportWork.queue, ExportWork.queue]

    public static func start(_ environment: inout Environment) async throws {
        environment.set(CustomFields(environment[Database.self], environment[CacheNews.self]))
    }
}
