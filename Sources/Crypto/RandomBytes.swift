import COpenSSL

/// Bytes nobody can guess, from libcrypto's generator (one per thread, seeded by the kernel).
public enum RandomBytes {
    public static func make(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            guard RAND_bytes(room.baseAddress, Int32(count)) == 1 else {
                preconditionFailure("the system gives no random bytes")
            }
            filled = count
        }
    }

    /// A number below `limit`, each equally likely.
    public static func number(below limit: UInt32) -> UInt32 {
        // Values past the last whole multiple of the limit would favour the small ones.
        let fair = UInt32.max - UInt32.max % limit
        while true {
            let value = make(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            if value < fair { return value % limit }
        }
    }

    /// A decimal code of so many digits, leading zeros kept.
    public static func digits(_ count: Int) -> String {
        String((0..<count).map { _ in Character(String(number(below: 10))) })
    }
}
