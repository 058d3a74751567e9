import API
import Glibc
import HTTP
import Telemetry
import Testing
import Wire

@Suite struct SecretAddressTests {
    @Test func `a secret in an address does not get into the log`() async throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let lines = LineWriter(descriptor: ends[1])
        let log = AccessLog(loops: Ground.loops, to: lines)
        let doors = DomainRoutes(
            name: "Doors", summary: "Doors.",
            routes: [
                GET("/v1/doors/{token}", "Open a door", .open) { (_: Call, _: Path<Text<60>>) in NoContent() }
            ])
        let ground = try await Ground(more: [doors], accessLog: log)
        #expect(try ground.client().get("/v1/doors/open-sesame").status == 204)
        // The exchange is noted when its answer has gone out, which may be behind our back.
        var text = ""
        let end = ContinuousClock.now + .seconds(5)
        while !text.contains("/v1/doors"), ContinuousClock.now < end {
            await log.flush()
            _ = lines.flush()
            var room = [UInt8](repeating: 0, count: 65_536)
            guard fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else { break }
            let count = read(ends[0], &room, room.count)
            if count > 0 { text += String(decoding: room[..<count], as: UTF8.self) }
            await Task.yield()
        }
        #expect(text.contains("\"path\":\"/v1/doors/{token}\"") && !text.contains("sesame"))
    }
}
