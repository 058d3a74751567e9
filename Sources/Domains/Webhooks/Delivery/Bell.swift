import Loop

/// What a task of one loop waits on until another rings or its time is up; a ring while nobody waits is kept.
// @unchecked Sendable: made and used on its loop's thread alone.
final class Bell: @unchecked Sendable {
    private var hasRung = false
    private var waiter: UnsafeContinuation<Void, Never>?
    private var timer: LoopTimer?

    init(_ loop: EventLoop) { timer = loop.timer { [unowned self] in ring() } }

    func ring() {
        timer?.disarm()
        guard let waiter else { return hasRung = true }
        self.waiter = nil
        waiter.resume()
    }

    func wait(upTo longest: Duration) async {
        if hasRung { return hasRung = false }
        await withUnsafeContinuation { continuation in
            waiter = continuation
            timer?.arm(after: longest)
        }
    }

    func end() { timer?.cancel() }
}
