import Crypto
import Testing
import Wire

@Suite struct DigestTests {
    @Test func `SHA-256 gives the digests of FIPS 180-4`() {
        #expect(
            SHA256.digest("abc").hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(SHA256.digest("").hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(
            SHA256.digest(million).hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func `a hasher used again gives what a fresh one gives`() {
        let hasher = SHA256.Hasher()
        for text in ["abc", "", "a longer text that is hashed in between", "abc"] {
            #expect(Array(text.utf8).withUnsafeBytes { hasher.digest($0) } == SHA256.digest(text))
        }
    }

    @Test func `digests are equal only when every byte is`() {
        #expect(SHA256.digest("a") == SHA256.digest("a"))
        #expect(SHA256.digest("a") != SHA256.digest("b"))
        #expect(SHA256.digest("a").bytes.count == 32)
    }

    @Test func `HMAC gives the codes of RFC 4231`() {
        let short = HMACKey([UInt8](repeating: 0x0B, count: 20))
        #expect(
            Hex.encode(short.authenticate("Hi There"))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        let jefe = HMACKey(Array("Jefe".utf8))
        #expect(
            Hex.encode(jefe.authenticate("what do ya want for nothing?"))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let long = HMACKey([UInt8](repeating: 0xAA, count: 131))
        #expect(
            Hex.encode(long.authenticate("Test Using Larger Than Block-Size Key - Hash Key First"))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test func `one HMAC key authenticates many messages, each for itself`() {
        let key = HMACKey(Array("Jefe".utf8))
        let first = key.authenticate("one")
        _ = key.authenticate("two")
        #expect(key.authenticate("one") == first)
        #expect(key.isValid(first, for: Array("one".utf8)))
        #expect(!key.isValid(first, for: Array("two".utf8)))
        #expect(!key.isValid(Array(first.dropLast()), for: Array("one".utf8)))
    }

    @Test func `an empty HMAC key is a key`() {
        #expect(
            Hex.encode(HMACKey([]).authenticate(""))
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test func `HKDF gives the keys of RFC 5869`() throws {
        let info = try #require(Hex.decode("f0f1f2f3f4f5f6f7f8f9"))
        let salt = try #require(Hex.decode("000102030405060708090a0b0c"))
        let secret = [UInt8](repeating: 0x0B, count: 22)
        #expect(
            Hex.encode(HKDF.derive(secret, salt: salt, info: info, length: 42))
                == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
        #expect(
            Hex.encode(HKDF.derive(secret, salt: [], info: [], length: 42))
                == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
        #expect(HKDF.derive(secret, info: "a") != HKDF.derive(secret, info: "b"))
    }

    @Test func `CRC-32 gives the check value of its polynomial`() {
        #expect(CRC32.of("123456789".utf8) == 0xCBF4_3926)
    }

    @Test func `comparison looks at every byte and at the length`() {
        #expect(constantTimeEquals([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2]))
        #expect(constantTimeEquals("", ""))
    }
}

@Suite struct ResumableDigestTests {
    @Test func `a state kept and taken up again gives the same digest`() throws {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let whole = SHA256.digest(bytes).bytes
        for cut in [0, 1, 55, 56, 63, 64, 65, 99_999, 100_000] {
            var first = ResumableSHA256()
            first.update(Array(bytes[..<cut]))
            var second = try #require(ResumableSHA256(state: first.state))
            second.update(Array(bytes[cut...]))
            #expect(second.digest == whole, "cut at \(cut)")
        }
    }

    @Test func `what is no state is refused`() {
        #expect(ResumableSHA256(state: []) == nil)
        #expect(ResumableSHA256(state: [UInt8](repeating: 0xFF, count: 112)) == nil)
    }

    @Test func `digests of protocols have their known values`() {
        // FIPS 180-4 and RFC 1321, of "abc".
        let known = [
            "md5": "900150983cd24fb0d6963f7d28e17f72", "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d",
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ]
        for (name, hex) in known {
            let digest = StreamDigest(name)
            digest?.update(Array("a".utf8))
            digest?.update(Array("bc".utf8))
            #expect(digest.map { Hex.encode($0.finish()) } == hex)
        }
        #expect(StreamDigest("sha3-256") == nil)
    }
}
