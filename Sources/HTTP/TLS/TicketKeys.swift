import COpenSSL
import Glibc
import Wire

/// The keys that seal session tickets: a new one every twelve hours, the one before still opens.
///
/// They are derived from one secret and the hour, so every loop, and every process that has the secret, has the same.
final class TicketKeys: Sendable {
    private let secret: [UInt8]

    init(secret: [UInt8]?) {
        if let secret {
            precondition(secret.count >= 32, "a ticket secret has at least 32 bytes")
            self.secret = secret
            return
        }
        var random = [UInt8](repeating: 0, count: 32)
        precondition(RAND_bytes(&random, 32) == 1, "the system has no randomness")
        self.secret = random
    }

    /// A context keeps a pointer to the keys; whoever keeps the context keeps the keys.
    func install(in context: OpaquePointer) {
        SSL_CTX_set_ex_data(context, Self.place, Unmanaged.passUnretained(self).toOpaque())
        SSL_CTX_set_tlsext_ticket_key_evp_cb(context) { session, name, vector, cipher, mac, isSealing in
            guard let session, let name, let vector, let cipher, let mac,
                let keys = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), TicketKeys.place)
            else { return -1 }
            let known = Unmanaged<TicketKeys>.fromOpaque(keys).takeUnretainedValue()
            return isSealing != 0
                ? known.seal(name, vector, cipher, mac) : known.open(name, vector, cipher, mac)
        }
    }

    private func seal(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer,
        _ mac: OpaquePointer
    ) -> Int32 {
        let key = Key(secret, epoch: Self.epoch)
        memcpy(name, key.name, 16)
        guard RAND_bytes(vector, 16) == 1,
            EVP_EncryptInit_ex2(cipher, Self.aes, key.cipher, vector, nil) == 1, key.prepare(mac)
        else { return -1 }
        return 1
    }

    /// 0: not one of ours, or too old; 2: opened, but to be replaced by a fresh ticket.
    private func open(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer,
        _ mac: OpaquePointer
    ) -> Int32 {
        let now = Self.epoch
        for epoch in [now, now - 1] {
            let key = Key(secret, epoch: epoch)
            guard memcmp(name, key.name, 16) == 0 else { continue }
            guard EVP_DecryptInit_ex2(cipher, Self.aes, key.cipher, vector, nil) == 1, key.prepare(mac)
            else { return -1 }
            return epoch == now ? 1 : 2
        }
        return 0
    }

    private static var epoch: Int64 { Timestamp.now.seconds / (12 * 3600) }

    private static let place = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nil, nil, nil, nil)
    // nonisolated(unsafe): fetched once, constant and never freed.
    nonisolated(unsafe) private static let aes = EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)

    private struct Key {
        let name: [UInt8]
        let cipher: [UInt8]
        private let mac: [UInt8]

        // nonisolated(unsafe): made once, constant and never freed. The array of parameters keeps the pointer, so a
        // string lent for one call will not do.
        nonisolated(unsafe) private static let digestParameter = strdup(OSSL_MAC_PARAM_DIGEST)

        init(_ secret: [UInt8], epoch: Int64) {
            name = Self.derive(secret, "name", epoch)
            cipher = Self.derive(secret, "cipher", epoch)
            mac = Self.derive(secret, "mac", epoch)
        }

        func prepare(_ context: OpaquePointer) -> Bool {
            var digest = Array("SHA256".utf8CString)
            return digest.withUnsafeMutableBufferPointer { digest in
                let parameters = [
                    OSSL_PARAM_construct_utf8_string(Self.digestParameter, digest.baseAddress, 0),
                    OSSL_PARAM_construct_end(),
                ]
                return EVP_MAC_init(context, mac, mac.count, parameters) == 1
            }
        }

        /// 32 bytes of their own for each purpose and epoch.
        private static func derive(_ secret: [UInt8], _ purpose: String, _ epoch: Int64) -> [UInt8] {
            let text = Array("infinity tls ticket \(purpose) \(epoch)".utf8)
            var out = [UInt8](repeating: 0, count: 32)
            var length: UInt32 = 0
            HMAC(EVP_sha256(), secret, Int32(secret.count), text, text.count, &out, &length)
            return out
        }
    }
}
