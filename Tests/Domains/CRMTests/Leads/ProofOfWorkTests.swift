import Crypto
import Testing
import Wire

@testable import CRM

@Suite struct ProofOfWorkTests {
    private let proof = ProofOfWork(KeyRing(setting: "test:" + Base64.encode(RandomBytes.make(32)))!)
    private let form = UUID.v7()
    private let now = Timestamp(seconds: 1_800_000_000)

    private func nonce(_ challenge: String, bits: Int) -> String {
        (0...).lazy.map(String.init).first {
            ProofOfWork.zeroBits(SHA256.digest(challenge + $0).bytes) >= bits
        }!
    }

    @Test func `zero bits are counted from the first on`() {
        #expect(ProofOfWork.zeroBits([0xFF]) == 0)
        #expect(ProofOfWork.zeroBits([0x01, 0x00]) == 7)
        #expect(ProofOfWork.zeroBits([0x00, 0x10, 0x00]) == 11)
        #expect(ProofOfWork.zeroBits([0x00, 0x00]) == 16)
    }

    @Test func `what is solved holds for its form, until it expires, and not for a harder one`() {
        let challenge = proof.challenge(form: form, bits: 8, now: now)
        let found = nonce(challenge, bits: 8)
        #expect(proof.holds(challenge, nonce: found, form: form, bits: 8, now: now))
        #expect(!proof.holds(challenge, nonce: found, form: .v7(), bits: 8, now: now))
        #expect(!proof.holds(challenge, nonce: found, form: form, bits: 9, now: now))
        #expect(!proof.holds(challenge, nonce: found, form: form, bits: 8, now: now + .seconds(3_601)))
    }

    @Test func `an easier challenge made up by the sender is none of ours`() {
        let challenge = proof.challenge(form: form, bits: 20, now: now)
        let forged = challenge.split(separator: ".").enumerated().map {
            $0.offset == 1 ? "0" : String($0.element)
        }.joined(separator: ".")
        #expect(!proof.holds(forged, nonce: "1", form: form, bits: 0, now: now))
        #expect(!proof.holds("", nonce: "", form: form, bits: 0, now: now))
        #expect(!proof.holds("a.b.c.d.e", nonce: "", form: form, bits: 0, now: now))
    }
}
