import HTTP
import Testing

@Suite struct FormTests {
    @Test(arguments: [
        ("a=1&b=2", ["a", "1", "b", "2"]), ("", []), ("&&a=1&", ["a", "1"]), ("a", ["a", ""]),
        ("=1", ["", "1"]),
        ("a=b=c", ["a", "b=c"]), ("a+b=c+d", ["a b", "c d"]), ("a%2Bb=%26", ["a+b", "&"]),
        ("name=Zo%C3%AB", ["name", "Zoë"]), ("name=Zoë", ["name", "Zoë"]), ("a=1&a=2", ["a", "1", "a", "2"]),
        ("filter%5Bstage%5D=won", ["filter[stage]", "won"]),
    ])
    func `fields are read in order`(text: String, expected: [String]) throws {
        #expect(try FormFields(text).fields.flatMap { [$0.name, $0.value] } == expected)
    }

    @Test(arguments: [
        ("a=%", FormError.badPercentEncoding), ("a=%4", .badPercentEncoding), ("a=%zz", .badPercentEncoding),
        ("a=%00", .containsNul), ("a%00=1", .containsNul), ("a=%ff", .notUTF8), ("a=%C3", .notUTF8),
        ("a=%ED%A0%80", .notUTF8), ("a=%C0%AF", .notUTF8),
    ])
    func `what cannot be text is refused`(text: String, error: FormError) {
        #expect(throws: error) { try FormFields(text) }
    }

    @Test func `limits are refusals`() throws {
        let many = [String](repeating: "a=1", count: CodecLimits.formFields)
        #expect(try FormFields(many.joined(separator: "&")).fields.count == CodecLimits.formFields)
        #expect(throws: FormError.tooManyFields) { try FormFields((many + ["a=1"]).joined(separator: "&")) }
        let name = String(repeating: "n", count: CodecLimits.formNameBytes)
        #expect(try FormFields(name + "=1")[name] == "1")
        #expect(throws: FormError.nameTooLong) { try FormFields(name + "n=1") }
        let value = String(repeating: "v", count: CodecLimits.formValueBytes + 1)
        #expect(throws: FormError.valueTooLong) { try FormFields("a=" + value) }
    }

    @Test func `one name may have several values`() throws {
        let fields = try FormFields("tag=a&x=&tag=b")
        #expect(fields["tag"] == "a")
        #expect(fields.all("tag") == ["a", "b"])
        #expect(fields["x"] == "")
        #expect(fields["y"] == nil)
    }

    @Test func `percent encoding round-trips any text`() {
        for text in ["", "a/b?c#d&e=f g", "Zoë ✓ 😀", "%41", "~-._"] {
            #expect(PercentEncoding.decode(PercentEncoding.encode(text)) == text)
        }
        #expect(PercentEncoding.encode("a b/ë") == "a%20b%2F%C3%AB")
    }

    @Test(arguments: [
        ("a=1; b=2", ["a", "1", "b", "2"]), ("a=\"1\"", ["a", "1"]), ("a=", ["a", ""]), ("", []),
        ("a=1;;  ;b=2", ["a", "1", "b", "2"]), ("a; b=2", ["b", "2"]), ("a=x y; b=2", ["b", "2"]),
        ("a=b=c", ["a", "b=c"]), ("__Host-s=abc.def", ["__Host-s", "abc.def"]), ("é=1; b=2", ["b", "2"]),
    ])
    func `cookies are read and the odd ones passed over`(field: String, expected: [String]) {
        #expect(Cookies(field).pairs.flatMap { [$0.name, $0.value] } == expected)
    }

    @Test func `a cookie is written with its fences`() throws {
        let cookie = try SetCookie(
            "__Host-session", "abc", maxAgeSeconds: 60, isSecure: true, sameSite: .strict)
        #expect(
            cookie.description == "__Host-session=abc; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Strict")
        #expect(
            cookie.removal.description
                == "__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict")
        let plain = try SetCookie("csrf", "x", path: "/v1/auth", isSecure: false, isHTTPOnly: false)
        #expect(plain.description == "csrf=x; Path=/v1/auth; SameSite=Lax")
    }

    @Test func `a cookie that a browser would drop is not made`() {
        #expect(throws: SetCookie.Fault.brokenHostPrefix) { try SetCookie("__Host-a", "b", isSecure: false) }
        #expect(throws: SetCookie.Fault.brokenHostPrefix) {
            try SetCookie("__host-a", "b", path: "/v1", isSecure: true)
        }
        #expect(throws: SetCookie.Fault.brokenSecurePrefix) {
            try SetCookie("__Secure-a", "b", isSecure: false)
        }
        #expect(throws: SetCookie.Fault.insecureCrossSite) {
            try SetCookie("a", "b", isSecure: false, sameSite: .none)
        }
        #expect(throws: SetCookie.Fault.badValue) { try SetCookie("a", "b; Domain=evil", isSecure: true) }
        #expect(throws: SetCookie.Fault.badValue) { try SetCookie("a", "b\r\nX: y", isSecure: true) }
        #expect(throws: SetCookie.Fault.badName) { try SetCookie("a b", "c", isSecure: true) }
        #expect(throws: SetCookie.Fault.badName) { try SetCookie("", "c", isSecure: true) }
        #expect(throws: SetCookie.Fault.badPath) { try SetCookie("a", "c", path: "/;x", isSecure: true) }
    }
}
