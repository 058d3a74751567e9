import HTTP
import Testing
import Wire

@Suite struct GzipTests {
    private func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 88_172_645_463_325_252
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
    }

    @Test func `what another program compressed is read`() throws {
        // Python: gzip.compress(b"Infinity " * 20, mtime=0)
        let bytes = try #require(
            Hex.decode("1f8b0800000000000203f3cc4bcbcccb2ca954f01c3a0c007d9e3110b4000000"))
        let text = try Gzip.decompress(bytes, outputMax: 1000)
        #expect(String(decoding: text, as: UTF8.self) == String(repeating: "Infinity ", count: 20))
    }

    @Test(arguments: [0, 1, 511, 512, 513, 65_535, 65_536, 65_537, 1_000_000])
    func `what was compressed comes back, noise or not`(count: Int) throws {
        for bytes in [noise(count), [UInt8]((0..<count).map { UInt8($0 / 50 % 96 + 32) })] {
            #expect(try Gzip.decompress(Gzip.compress(bytes), outputMax: count) == bytes)
        }
    }

    @Test func `pieces of any size make the same body`() throws {
        let whole = Gzip.compress(noise(3000))
        for size in [1, 2, 3, 7, 100, 5000] {
            let reader = GzipReader(outputMax: 3000)
            let out = ByteWriter()
            for start in stride(from: 0, to: whole.count, by: size) {
                try reader.read([UInt8](whole[start..<min(start + size, whole.count)]), into: out)
            }
            try reader.end()
            #expect(out.array == noise(3000))
        }
    }

    @Test func `a flushed stream can be read so far`() throws {
        let writer = GzipWriter()
        let reader = GzipReader(outputMax: 100)
        for word in ["one", "two", "three"] {
            let sent = ByteWriter()
            writer.write([UInt8](word.utf8), into: sent, flush: .sync)
            let got = ByteWriter()
            try reader.read(sent.array, into: got)
            #expect(got.string == word)
        }
        let last = ByteWriter()
        writer.write([], into: last, flush: .finish)
        try reader.read(last.array, into: ByteWriter())
        try reader.end()
    }

    @Test func `one writer serves bodies one after another`() throws {
        let writer = GzipWriter()
        writer.write(noise(100), into: ByteWriter())
        writer.reset()
        for count in [10, 100_000, 0, 20] {
            let out = ByteWriter()
            writer.write(noise(count), into: out, flush: .finish)
            #expect(try Gzip.decompress(out.array, outputMax: count) == noise(count))
        }
    }

    @Test func `members after each other are one body`() throws {
        let both = Gzip.compress([1, 2, 3]) + Gzip.compress([4])
        #expect(try Gzip.decompress(both, outputMax: 10) == [1, 2, 3, 4])
    }

    @Test func `a body cut anywhere is never taken for whole`() {
        let whole = Gzip.compress(noise(200))
        for length in 0..<whole.count {
            #expect(throws: GzipError.cutShort) {
                try Gzip.decompress([UInt8](whole[..<length]), outputMax: 1000)
            }
        }
    }

    @Test func `damage is found`() {
        var whole = Gzip.compress(noise(200))
        whole[whole.count - 6] ^= 1
        #expect(throws: GzipError.damaged) { try Gzip.decompress(whole, outputMax: 1000) }
        #expect(throws: GzipError.damaged) {
            try Gzip.decompress([UInt8]("plain text".utf8), outputMax: 1000)
        }
        #expect(throws: GzipError.damaged) {
            try Gzip.decompress(Gzip.compress([1]) + [UInt8]("rubbish, not gzip".utf8), outputMax: 1000)
        }
    }

    @Test func `the size limit is exact`() throws {
        let bytes = noise(10_000)
        #expect(try Gzip.decompress(Gzip.compress(bytes), outputMax: 10_000) == bytes)
        #expect(throws: GzipError.tooLarge) { try Gzip.decompress(Gzip.compress(bytes), outputMax: 9_999) }
    }

    @Test func `a bomb is stopped long before it has gone off`() {
        let bomb = Gzip.compress([UInt8](repeating: 0, count: 20 << 20), level: 9)
        let reader = GzipReader(outputMax: 1 << 30)
        let out = ByteWriter()
        #expect(throws: GzipError.bomb) { try reader.read(bomb, into: out) }
        #expect(out.count < 8 << 20)
    }
}
