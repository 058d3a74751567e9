/// The plan a company is on decides its limits where it has no exception of its own.
public enum Plans {
    /// Of companies nobody has put on another.
    public static let standard = "standard"
}
