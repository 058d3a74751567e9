/// A currency by its ISO 4217 code, in capitals.
public struct CurrencyCode: TextValue {
    public let text: String
    public init(unchecked text: String) { self.text = text }

    /// Digits behind the point: how many cents there are to the whole.
    public var minorDigits: Int {
        if Self.withoutCents.contains(text) { return 0 }
        return Self.withThousandths.contains(text) ? 3 : 2
    }

    public static var rule: TextRule {
        TextRule(length: 3...3, format: "iso-4217", pattern: "^[A-Z]{3}$") { text in
            codes.contains(text) ? nil : "is no currency of ISO 4217"
        }
    }
    public static var exampleText: String { "EUR" }

    private static let withoutCents = Set(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(separator: " ").map(
            String.init))
    private static let withThousandths = Set(
        "BHD IQD JOD KWD LYD OMR TND".split(separator: " ").map(String.init))

    static let codes = Set(
        """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
        CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
        GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT
        LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR
        NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
        STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF
        XPF YER ZAR ZMW
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}
