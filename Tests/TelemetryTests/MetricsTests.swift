import Glibc
import Loop
import Telemetry
import Testing
import Wire

@Suite struct `The metrics` {
    @Test func `a histogram prints rising buckets, and its count is the last of them`() {
        let metrics = Metrics(loops: 1)
        let histogram = metrics.histogram(
            "db_query_duration_seconds", "Time of a query.", bounds: [.milliseconds(5), .milliseconds(50)])
        for milliseconds in [1, 5, 6, 70] as [UInt64] {
            histogram.record(nanoseconds: milliseconds * 1_000_000)
        }
        #expect(
            text(metrics) == """
                # HELP db_query_duration_seconds Time of a query.
                # TYPE db_query_duration_seconds histogram
                db_query_duration_seconds_bucket{le="0.005"} 2
                db_query_duration_seconds_bucket{le="0.05"} 3
                db_query_duration_seconds_bucket{le="+Inf"} 4
                db_query_duration_seconds_sum 0.082
                db_query_duration_seconds_count 4

                """)
    }

    @Test func `names come in order, and labels are escaped`() {
        let metrics = Metrics(loops: 1)
        metrics.observe(.gauge, "queue_length", "Waiting.\nNow.", labels: ["name"]) {
            [(["a\"b\\c\nd"], 1.5)]
        }
        metrics.counters("jobs_total", "Jobs.", labels: ["kind"]).with("mail").add(3)
        #expect(
            text(metrics) == #"""
                # HELP jobs_total Jobs.
                # TYPE jobs_total counter
                jobs_total{kind="mail"} 3
                # HELP queue_length Waiting.\nNow.
                # TYPE queue_length gauge
                queue_length{name="a\"b\\c\nd"} 1.5

                """#)
    }

    @Test func `what loops and other threads count at the same time adds up`() async {
        let loops = LoopGroup(count: 2)
        defer { loops.stop() }
        let counter = Metrics(loops: 2).counter("things_total", "Things.")
        await withTaskGroup(of: Void.self) { group in
            for loop in loops.loops {
                group.addTask {
                    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                        loop.execute {
                            for _ in 0..<100_000 { counter.add(on: loop) }
                            done.resume()
                        }
                    }
                }
            }
            for _ in 0..<2 { group.addTask { for _ in 0..<100_000 { counter.add() } } }
        }
        #expect(counter.value == 400_000)
    }

    @Test func `requests are counted by template, method and status; odd statuses share a series`() async {
        let loops = LoopGroup(count: 1)
        defer { loops.stop() }
        let metrics = Metrics(loops: 1)
        let meter = RequestMetrics(in: metrics).meter(route: "/v1/leads/{id}", method: "GET")
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            loops.loops[0].execute {
                for status in [200, 200, 404, 299, 999, -1] {
                    meter.record(status: status, nanoseconds: 1000, on: loops.loops[0])
                }
                done.resume()
            }
        }
        let text = text(metrics)
        #expect(
            text.contains("http_requests_total{route=\"/v1/leads/{id}\",method=\"GET\",status=\"200\"} 2\n"))
        #expect(
            text.contains("http_requests_total{route=\"/v1/leads/{id}\",method=\"GET\",status=\"404\"} 1\n"))
        #expect(
            text.contains("http_requests_total{route=\"/v1/leads/{id}\",method=\"GET\",status=\"other\"} 3\n")
        )
        #expect(
            text.contains(
                "http_server_request_duration_seconds_bucket{route=\"/v1/leads/{id}\",method=\"GET\","
                    + "status=\"200\",le=\"+Inf\"} 2\n"))
    }

    @Test func `the process tells its memory, its processor time and its descriptors`() throws {
        let metrics = Metrics(loops: 1)
        metrics.observeProcess(version: "1.2.3")
        let before = try value("process_open_fds", metrics)
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        #expect(try value("process_open_fds", metrics) >= before)
        #expect(try value("process_resident_memory_bytes", metrics) > 1_000_000)
        #expect(try value("process_cpu_seconds_total", metrics) > 0)
        #expect(text(metrics).contains("infinity_build_info{version=\"1.2.3\"} 1\n"))
    }

    private func text(_ metrics: Metrics) -> String {
        let out = ByteWriter()
        metrics.write(into: out)
        return out.string
    }

    private func value(_ name: String, _ metrics: Metrics) throws -> Double {
        let line = try #require(text(metrics).split(separator: "\n").first { $0.hasPrefix(name + " ") })
        return try #require(Double(line.dropFirst(name.count + 1)))
    }
}
