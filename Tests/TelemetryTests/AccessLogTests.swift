import Loop
import Telemetry
import Testing
import Wire

@Suite struct `The access log` {
    @Test func `what happened on a loop stands in the log soon after, without being asked for`() async throws
    {
        let loops = LoopGroup(count: 1)
        defer { loops.stop() }
        let pipe = Pipe()
        let log = AccessLog(loops: loops, to: LineWriter(descriptor: pipe.writing))
        let loop = loops.loops[0]
        let company = UUID.v7()
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            loop.execute {
                var entry = AccessEntry(
                    method: "GET", route: "/v1/leads/{id}", path: "/v1/leads/7", status: 200,
                    durationNanoseconds: 1_234_567)
                entry.bytesOut = 532
                entry.requestId = "r-9"
                entry.companyId = company
                entry.isSent = false
                log.record(entry, on: loop)
                done.resume()
            }
        }
        let line = pipe.read()
        #expect(
            line.hasSuffix(
                "\"level\":\"info\",\"message\":\"request\",\"method\":\"GET\",\"route\":\"/v1/leads/{id}\","
                    + "\"path\":\"/v1/leads/7\",\"status\":200,\"duration_ms\":1.234,\"bytes_in\":0,"
                    + "\"bytes_out\":532,\"request_id\":\"r-9\",\"company_id\":\"\(company)\","
                    + "\"outcome\":\"aborted\"}\n"))
    }

    @Test func `flushing hands over what every loop has gathered`() async throws {
        let loops = LoopGroup(count: 2)
        defer { loops.stop() }
        let pipe = Pipe()
        let lines = LineWriter(descriptor: pipe.writing)
        let log = AccessLog(loops: loops, to: lines)
        for loop in loops.loops {
            loop.execute {
                let entry = AccessEntry(
                    method: "GET", route: nil, path: "/\(loop.index)", status: 404, durationNanoseconds: 1)
                log.record(entry, on: loop)
            }
        }
        await log.flush()
        #expect(lines.flush())
        let text = pipe.read()
        #expect(text.contains("\"path\":\"/0\"") && text.contains("\"path\":\"/1\""))
    }
}
