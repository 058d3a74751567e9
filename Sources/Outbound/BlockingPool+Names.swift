import Loop

extension BlockingPool {
    /// For looking names up: one for the process, as its threads only ever wait for name servers.
    public static let names = BlockingPool(label: "names", workers: 4, queueLimit: 1024)
}
