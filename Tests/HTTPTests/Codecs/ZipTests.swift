import CLinux
import Glibc
import HTTP
import Testing
import Wire

/// Archives are read back by Python's zipfile, which checks every checksum, and by Info-ZIP where it is installed.
@Suite struct ZipTests {
    private let noon = Timestamp(seconds: 1_781_524_800)

    @Test func `another program reads what was written, names and contents alike`() throws {
        let zip = ZipWriter()
        var bytes: [UInt8] = []
        zip.begin("Übersicht/naïve – 客户.txt", modified: noon)
        for _ in 0..<1000 {
            zip.write(Array("the same line again and again\n".utf8))
            bytes += zip.take()
        }
        zip.end()
        zip.add("empty", [], modified: noon)
        zip.add(
            "picture.bin", (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }, modified: noon,
            compresses: false)
        zip.finish()
        bytes += zip.take()
        let told = try read(
            bytes,
            """
            print([(i.filename, i.file_size, i.date_time[:4], hashlib.sha256(z.read(i)).hexdigest()[:8]) for i in z.infolist()], z.testzip())
            """)
        let text = String(repeating: "the same line again and again\n", count: 1000)
        #expect(
            told.contains("('Übersicht/naïve – 客户.txt', \(text.utf8.count), (2026, 6, 15, 12)"), "\(told)")
        #expect(told.contains("('empty', 0,"), "\(told)")
        #expect(told.contains("('picture.bin', 100000,"), "\(told)")
        #expect(told.hasSuffix("None"), "\(told)")
        #expect(bytes.count < 110_000, "a thousand equal lines were not compressed")
    }

    @Test func `a name leads nowhere and stands once`() throws {
        let zip = ZipWriter()
        for name in [
            "../../etc/passwd", "/etc/shadow", "..\\x", "a/report.pdf", "a/Report.pdf", "a/report.pdf", "..",
        ] {
            zip.add(name, [1], modified: noon)
        }
        zip.finish()
        let told = try read(zip.take(), "print(z.namelist())")
        #expect(
            told
                == "['etc/passwd', 'etc/shadow', '.._x', 'a/report.pdf', 'a/Report (2).pdf', 'a/report (3).pdf', 'unnamed']"
        )
    }

    @Test func `more entries than sixteen bits count are all there`() throws {
        let zip = ZipWriter()
        for number in 0..<66_000 { zip.add("\(number)", [], modified: noon) }
        zip.finish()
        #expect(try read(zip.take(), "print(len(z.namelist()), z.namelist()[-1])") == "66000 65999")
    }

    @Test(.enabled(if: getenv("INFINITY_SLOW_TESTS") != nil, "takes a core for twelve seconds"))
    func `more bytes than thirty-two bits count are all there`() throws {
        // Zeros pack a thousand to one, so five gigabytes stay small here; Python counts them again.
        let zip = ZipWriter()
        let zeros = [UInt8](repeating: 0, count: 16 << 20)
        zip.begin("large", modified: noon)
        for _ in 0..<257 { zip.write(zeros) }
        zip.end()
        zip.add("behind", Array("still here".utf8), modified: noon)
        zip.finish()
        let told = try read(zip.take(), "print(z.getinfo('large').file_size, z.read('behind'))")
        #expect(told == "\(257 * (16 << 20)) b'still here'")
    }

    /// Lets Python open the archive as `z` and run `script`; gives what it printed.
    private func read(_ archive: [UInt8], _ script: String) throws -> String {
        let path = "/tmp/infinity-zip-\(getpid())-\(UUID.v7()).zip"
        let file = try #require(fopen(path, "w"))
        fwrite(archive, 1, archive.count, file)
        fclose(file)
        defer { unlink(path) }
        let program = "import zipfile, hashlib\nz = zipfile.ZipFile('\(path)')\n\(script)"
        let pipe = try #require(popen("python3 -X utf8 -c \"$(cat <<'END'\n\(program)\nEND\n)\" 2>&1", "r"))
        defer { pclose(pipe) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = fread(&bytes, 1, bytes.count, pipe)
        return String(decoding: bytes[..<count], as: UTF8.self).trimmingSuffix { $0.isNewline }
    }
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var text = self
        while let last = text.last, predicate(last) { text.removeLast() }
        return text
    }
}
