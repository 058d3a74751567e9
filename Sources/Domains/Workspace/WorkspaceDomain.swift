import API
import Core

/// What every domain's objects may have and is therefore made once: tags, custom fields, saved views, comments, imports,
/// exports and calendar feeds.
public enum WorkspaceDomain: Domain {
    public static let name = "Workspace"
    public static let summary = "Tags, custom fields, saved views, comments, imports, exports and calendar feeds."

    public static var routes: [Route] { [] }
}
