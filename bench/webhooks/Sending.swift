import Crypto
import Glibc
import Loop
import Outbound
import Wire

/// Signed posts to a hundred local receivers, as the deliverer sends them, without the queue:
///
///     webhook-bench send PORT COUNT RATE CONCURRENCY PER_HOST
///
/// RATE 0: as fast as CONCURRENCY allows. PER_HOST 0: no cap for one receiver.
// @unchecked Sendable: used on one loop's thread alone.
final class Sending: @unchecked Sendable {
    private let port: Int
    private let count: Int
    private let rate: Double
    private let concurrency: Int
    private let perHost: Int
    private let loop: EventLoop
    private let client: HTTPClient
    private let key = HMACKey(Array("0123456789abcdef0123456789abcdef".utf8))
    private let hosts = 100

    private var waiting: [[Int]]
    private var isWaiting = 0
    private var busy: [Int]
    private var made = 0
    private var inFlight = 0
    private var accepted = 0
    private var failed = 0
    private var next = 0
    private let began = EventLoop.monotonicNanoseconds()
    /// It keeps this alive until it ends the process.
    private lazy var timer = loop.timer { [self] in feed() }

    init(_ numbers: [Double], _ loops: LoopGroup) {
        (port, count, rate) = (Int(numbers[0]), Int(numbers[1]), numbers[2])
        (concurrency, perHost) = (Int(numbers[3]), Int(numbers[4]))
        loop = loops.loops[0]
        waiting = Array(repeating: [], count: hosts)
        busy = Array(repeating: 0, count: hosts)
        var configuration = HTTPClient.Configuration()
        configuration.connectionsPerLoop = 512
        configuration.connectionsPerHost = 512
        configuration.ssrfGuard = SSRFGuard(allowed: [AddressRange("127.0.0.0/8")!])
        client = HTTPClient(
            loops: loops, resolver: BlockingPool(label: "names", workers: 1, queueLimit: 10), configuration: configuration)
    }

    /// What is due goes into its receiver's queue, and from the queues as much as may be under way.
    func feed() {
        let now = EventLoop.monotonicNanoseconds()
        while made < count, rate > 0 ? due(made) <= now : isWaiting < concurrency {
            waiting[made % hosts].append(made)
            isWaiting += 1
            made += 1
        }
        var looked = 0
        while looked < hosts, isWaiting > 0, inFlight < concurrency {
            let host = next % hosts
            next += 1
            looked += 1
            while !waiting[host].isEmpty, inFlight < concurrency, perHost == 0 || busy[host] < perHost {
                isWaiting -= 1
                send(waiting[host].removeFirst(), to: host)
            }
        }
        if rate > 0, made < count { timer.arm(after: .milliseconds(1)) }
    }

    private func due(_ index: Int) -> UInt64 { began + UInt64(Double(index) / rate * 1e9) }

    /// When it should have been sent, as the receiver compares it with its own clock.
    private func microseconds(_ index: Int) -> Int64 {
        guard rate > 0 else { return Timestamp.now.microseconds }
        return Timestamp.now.microseconds - Int64(EventLoop.monotonicNanoseconds() - due(index)) / 1000
    }

    private func send(_ index: Int, to host: Int) {
        inFlight += 1
        busy[host] += 1
        let number = String(String(index + 1_000_000_000_000).dropFirst())
        let body = Array(
            """
            {"type":"lead.converted","timestamp":"2026-11-23T10:00:00Z","data":{"id":"0193a5b2-7c1e-7d3a-9f00-\(number)",\
            "company_id":"0193a5b2-7c1e-7d3a-9f00-5b1c2d3e4f50","email":"mara@example.com","stage":"won",\
            "value_cents":125000,"currency":"EUR","owner":{"id":"0193a5b2-7c1e-7d3a-9f00-5b1c2d3e4f51","name":"Mara Lind"},\
            "converted_at":"2026-11-23T09:59:58Z"},"due":\(microseconds(index))}
            """.utf8)
        let id = "msg_\(number)"
        let seconds = Timestamp.now.seconds
        let signature = "v1," + Base64.encode(key.authenticate(Array("\(id).\(seconds).".utf8) + body))
        let post = Post(
            "http://127.0.1.\(host + 1):\(port)/hooks",
            headers: [
                ("content-type", "application/json"), ("webhook-id", id), ("webhook-timestamp", String(seconds)),
                ("webhook-signature", signature),
            ], body: body)
        client.send(post) { [self] outcome in
            inFlight -= 1
            busy[host] -= 1
            if case .success(let status) = outcome.result, (200..<300).contains(status) { accepted += 1 } else { failed += 1 }
            if accepted + failed == count { end() }
            feed()
        }
    }

    private func end() {
        let seconds = Double(EventLoop.monotonicNanoseconds() - began) / 1e9
        print("{\"ok\":\(accepted),\"failed\":\(failed),\"seconds\":\(seconds)}")
        exit(0)
    }
}
