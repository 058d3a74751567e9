import API
import Core

public enum FilesDomain: Domain {
    public static let name = "Files"
    public static let summary = "Uploads, storage and signed downloads."

    public static var routes: [Route] { [] }
}
