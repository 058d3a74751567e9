import API
import Core
import Crypto
import HTTP
import Postgres
import Wire

/// The OpenFeature Remote Evaluation Protocol: any OpenFeature SDK asks the company's flags here.
enum OFREP {
    @RouteList static var routes: [Route] {
        for base in ["/ofrep/v1", "/v1/ofrep/v1"] {
            POST("\(base)/evaluate/flags/{key}", "Evaluate a flag (OFREP)", .can(.flagsRead), one)
                .operation(base.hasPrefix("/v1") ? "evaluateFlagInV1" : "evaluateFlag").idempotent(.none)
                .describe(explanation).example(body: question, answer: answer)
            POST("\(base)/evaluate/flags", "Evaluate all flags (OFREP)", .can(.flagsRead), all)
                .operation(base.hasPrefix("/v1") ? "evaluateFlagsInV1" : "evaluateFlags").idempotent(.none)
                .describe(
                    explanation + " Send the ETag back in If-None-Match: 304 says that nothing has changed."
                )
                .example(body: question).media("application/json")
        }
    }

    private static let explanation = """
        Answers by OFREP 0.3 with the company's own flags: give an OpenFeature SDK the address of this server and an \
        API key with the scope feature-flags:read. Refusals carry `errorCode` as the protocol has it.
        """
    private static let question: JSON = ["context": ["targetingKey": "customer-1", "plan": "gold"]]
    private static let answer: JSON = [
        "key": "new-checkout", "reason": "TARGETING_MATCH", "variant": "on", "value": true,
        "metadata": ["version": 4, "rule": 0],
    ]

    /// The body as the protocol has it; faults are told in its own words by the handler.
    struct Question: RouteInput {
        let bytes: [UInt8]

        static func part() throws(Schema.ProbeError) -> InputPart {
            .body(try Schema.of(OFREPQuestion.self, as: .input))
        }

        static func read(_ reader: InputReader) -> Question? {
            reader.passOver()
            return Question(bytes: reader.call.bodyBytes)
        }

        func context(_ key: String?) throws(Problem) -> FlagContext {
            let body: JSON
            do {
                body = try JSON.parse(bytes)
            } catch {
                throw OFREP.refusal(
                    Problem(
                        .malformedRequest, "The body is no JSON.",
                        faults: [
                            Fault(.body(""), "malformed-json", "the body \(error.reason)", isSyntax: true)
                        ]),
                    "PARSE_ERROR", key)
            }
            guard let object = body.objectValue else {
                throw OFREP.refusal(
                    OFREP.fault("", "wrong-type", "must be an object"), "INVALID_CONTEXT", key)
            }
            for (name, _) in object.members where name != "context" {
                let fault = Fault(
                    .body("/\(JSON.escapePointer(name))"), "unknown-field", "is no field here", isSyntax: true
                )
                throw OFREP.refusal(Problem(.malformedRequest, nil, faults: [fault]), "PARSE_ERROR", key)
            }
            guard let context = object["context"], context != .null else { return FlagContext(JSON.Object()) }
            guard let attributes = context.objectValue else {
                throw OFREP.refusal(
                    OFREP.fault("/context", "wrong-type", "must be an object"), "INVALID_CONTEXT", key)
            }
            if let unit = attributes[FlagContext.targetingKey], unit.stringValue == nil {
                throw OFREP.refusal(
                    OFREP.fault("/context/targetingKey", "wrong-type", "must be a text"), "INVALID_CONTEXT",
                    key)
            }
            return FlagContext(attributes)
        }
    }

    struct Evaluation: Codable, Sendable {
        let key: String
        let reason: String
        let variant: String
        let value: JSON
        let metadata: [String: JSON]
    }

    static func one(_ call: Call, _ key: Path<Text<60>>, _ question: Question) async throws -> Single<
        Evaluation
    > {
        let company = try call.company
        let context = try question.context(key.text)
        let store = call.environment[FlagStore.self]
        guard let decision = try await store.set(of: company).decide(key.text, for: context) else {
            throw refusal(.notFound("There is no flag of this key."), "FLAG_NOT_FOUND", key.text)
        }
        store.saw(key.text, owner: company)
        if decision.reason == .missingUnit {
            throw refusal(
                fault("/context/\(decision.bucketBy ?? "")", "required", "is what the flag is drawn by"),
                "TARGETING_KEY_MISSING", key.text)
        }
        return Single(Evaluation(decision))
    }

    static func all(_ call: Call, _ question: Question) async throws -> Raw {
        let company = try call.company
        let context = try question.context(nil)
        let store = call.environment[FlagStore.self]
        let set = try await store.set(of: company)
        let out = ByteWriter(capacity: 4096)
        out.write(#"{"flags":["#)
        var isFirst = true
        for (key, flag) in set.flags.sorted(by: { $0.key < $1.key }) where !flag.isArchived {
            guard let decision = set.decide(key, for: context) else { continue }
            store.saw(key, owner: company)
            if !isFirst { out.write(",") }
            isFirst = false
            out.write(entry(decision))
        }
        out.write(#"],"metadata":{"version":"#)
        out.write(Int(set.version))
        out.write("}}")
        return Raw(response(out, call))
    }

    /// The tag is of the answer itself, so it holds for this context and these flags alone.
    private static func response(_ out: ByteWriter, _ call: Call) -> Response {
        let tag = EntityTag(String(SHA256.digest(out.array).hex.prefix(32)))
        var response = call.holds(tag) ? Response(status: 304) : Response(status: 200, body: .buffer(out))
        if response.status == 200 { response.headers.add("content-type", "application/json" as StaticString) }
        response.headers.add("etag", tag.description)
        return response
    }

    private static func entry(_ decision: FlagDecision) -> JSON {
        if decision.reason == .missingUnit {
            return [
                "key": .string(decision.flag), "errorCode": "TARGETING_KEY_MISSING",
                "errorDetails": .string(
                    "The flag is drawn by \(decision.bucketBy ?? ""), which the context lacks."),
            ]
        }
        return [
            "key": .string(decision.flag), "reason": .string(reason(decision)),
            "variant": .string(decision.variant),
            "value": decision.value, "metadata": .object(metadata(decision)),
        ]
    }

    /// The protocol knows texts, numbers and booleans there, and no null.
    static func metadata(_ decision: FlagDecision) -> JSON.Object {
        var metadata = JSON.Object()
        metadata["version"] = JSON(decision.version)
        metadata["rule"] = decision.rule.map { JSON($0) }
        return metadata
    }

    /// Of the protocol's refusals all but the unknown flag are 400.
    static func fault(_ pointer: String, _ code: String, _ detail: String) -> Problem {
        Problem(.malformedRequest, nil, faults: [.at(pointer, code, detail)])
    }

    static func refusal(_ problem: Problem, _ code: String, _ key: String?) -> Problem {
        let told = problem.with("errorCode", .string(code)).with(
            "errorDetails", .string(problem.detail ?? problem.faults.first?.detail ?? problem.code.title))
        return key.map { told.with("key", .string($0)) } ?? told
    }

    static func reason(_ decision: FlagDecision) -> String {
        switch decision.reason {
        case .off, .archived, .prerequisite: "DISABLED"
        case .rule where decision.isDrawn, .fallback where decision.isDrawn: "SPLIT"
        case .rule: "TARGETING_MATCH"
        case .fallback: "STATIC"
        case .missingUnit: "UNKNOWN"
        }
    }
}

/// What an SDK sends, for the documentation.
struct OFREPQuestion: Codable, Sendable {
    let context: [String: JSON]?
}

extension OFREP.Evaluation {
    init(_ decision: FlagDecision) {
        key = decision.flag
        reason = OFREP.reason(decision)
        variant = decision.variant
        value = decision.value
        metadata = OFREP.metadata(decision).members.reduce(into: [:]) { $0[$1.key] = $1.value }
    }
}
