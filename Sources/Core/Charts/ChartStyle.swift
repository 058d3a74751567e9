import Crypto
import HTTP
import Wire

/// How charts look, in one style sheet that is the same in each of them.
public enum ChartStyle {
    static let sheet = """
        svg{--ground:#fff;--ink:#1f2430;--quiet:#5c6370;--grid:#e4e7ec;--off:#f3f4f7;\
        --done:#1a7f52;--open:#2563c9;--scope:#a8560a;--ideal:#858c9a;--started:#7a4fc9;--waiting:#9aa3b2;\
        --stopped:#dcc6a4;--warning:#c4314b;\
        font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;fill:var(--ink)}
        @media(prefers-color-scheme:dark){svg{--ground:#14171d;--ink:#e8eaee;--quiet:#a3aab8;--grid:#2b303a;--off:#1c2028;\
        --done:#3ecf8e;--open:#6ea8ff;--scope:#f0a24a;--ideal:#8d95a5;--started:#b794ff;--waiting:#6b7484;\
        --stopped:#75633f;--warning:#ff7b8f}}
        .ground{fill:var(--ground)}.name{font-size:15px;font-weight:600}.quiet{fill:var(--quiet)}
        .grid{stroke:var(--grid);fill:none}.off{fill:var(--off)}.now{stroke:var(--quiet);stroke-dasharray:2 3;fill:none}
        .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.thin{stroke-width:1.5}
        .dashed{stroke-dasharray:6 5}.area{stroke:none;fill-opacity:.8}.dot{stroke:var(--ground);stroke-width:1}
        .halo{paint-order:stroke;stroke:var(--ground);stroke-width:5px;stroke-linejoin:round}
        .start{text-anchor:start}.middle{text-anchor:middle}.end{text-anchor:end}

        """
        + ChartTone.allCases.map { tone in
            """
            .\(tone.cssClass){fill:var(--\(tone.rawValue))}.line.\(tone.cssClass){fill:none;stroke:var(--\(tone.rawValue))}

            """
        }.joined()

    /// Allows the style sheet and nothing else, also when the picture is opened by itself.
    public static let securityPolicy =
        "default-src 'none'; style-src 'sha256-\(Base64.encode(SHA256.digest(sheet).bytes))'; frame-ancestors 'none'"
}

extension Chart {
    /// The picture as an answer.
    public var response: Response {
        var response = Response(status: 200, body: .bytes(Array(svg.utf8)))
        response.headers.add("content-type", "image/svg+xml; charset=utf-8" as StaticString)
        response.headers.add("content-security-policy", ChartStyle.securityPolicy)
        return response
    }
}
