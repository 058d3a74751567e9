import Core
import Glibc
import TestSupport
import Testing
import Wire

/// Signatures are compared with those that botocore makes for the same requests at the same time.
@Suite struct SignatureTests {
    private let signer = SignatureV4(
        region: "eu-central-1", accessKey: "AKIAIOSFODNN7EXAMPLE",
        secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    private let time = Timestamp("2026-06-15T12:00:00Z")!

    @Test(arguments: ["objects/a/7f/b", "Grüße aus/Köln + mehr~.txt", "a b/c%20d/e'f(g)*!.bin"])
    func `a presigned address is the one that botocore makes`(_ key: String) throws {
        let request = SignatureV4.Request(
            "GET", host: "s3.example:9000", path: "/bucket/\(key)",
            query: [
                ("response-content-type", "image/png"),
                ("response-content-disposition", "attachment; filename=\"naïve file.txt\""),
            ])
        let ours = signer.presigned(request, seconds: 600, at: time)
        let theirs = try Self.botocore(
            """
            params = {'Bucket': 'bucket', 'Key': json.loads('\(JSON.string(key).description.asciiEscaped)'),
                      'ResponseContentType': 'image/png',
                      'ResponseContentDisposition': 'attachment; filename="na\\u00efve file.txt"'}
            print(client.generate_presigned_url('get_object', params, ExpiresIn=600))
            """)
        #expect(Self.parts("http://s3.example:9000\(ours)") == Self.parts(theirs))
    }

    @Test func `a signed request carries the fields that botocore gives it`() throws {
        let request = SignatureV4.Request(
            "PUT", host: "s3.example:9000", path: "/bucket/objects/x",
            query: [("uploadId", "a+b/c="), ("partNumber", "7")])
        let ours = signer.headers(request, payload: Array("hello".utf8), at: time)
        let theirs = try Self.botocore(
            """
            from botocore.awsrequest import AWSRequest
            request = AWSRequest('PUT', 'http://s3.example:9000/bucket/objects/x?partNumber=7&uploadId=a%2Bb%2Fc%3D', data=b'hello')
            S3SigV4Auth(Credentials(ACCESS, SECRET), 's3', 'eu-central-1').add_auth(request)
            print(request.headers['Authorization'])
            """)
        #expect(ours.first { $0.name == "authorization" }?.value == theirs)
    }

    /// What the address says, whatever its order.
    private static func parts(_ url: String) -> Set<Substring> {
        Set(url.split(separator: "?").first.map { [$0] } ?? []).union(
            url.drop { $0 != "?" }.dropFirst().split(separator: "&"))
    }

    /// Runs Python with botocore's clock at the time of these tests.
    private static func botocore(_ script: String) throws -> String {
        let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let program = """
            import datetime, json, boto3, botocore.auth, botocore.compat
            from botocore.auth import S3SigV4Auth
            from botocore.config import Config
            from botocore.credentials import Credentials
            NOW = datetime.datetime(2026, 6, 15, 12, 0, 0)
            class Clock(datetime.datetime):
                @classmethod
                def utcnow(cls): return NOW
                @classmethod
                def now(cls, tz=None): return NOW.replace(tzinfo=tz)
            botocore.auth.datetime = type('m', (), {'datetime': Clock, 'timezone': datetime.timezone})
            for name in ('get_current_datetime',):
                for module in (botocore.auth, botocore.compat):
                    if hasattr(module, name): setattr(module, name, lambda remove_tzinfo=True: NOW)
            ACCESS, SECRET = 'AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
            client = boto3.client('s3', endpoint_url='http://s3.example:9000', region_name='eu-central-1', aws_access_key_id=ACCESS,
                                  aws_secret_access_key=SECRET, config=Config(signature_version='s3v4', s3={'addressing_style': 'path'}))
            \(script)
            """
        let path = "/tmp/infinity-botocore-\(getpid())-\(UUID.v7()).py"
        guard let file = fopen(path, "w") else { throw Broken(description: "cannot write \(path)") }
        fputs(program, file)
        fclose(file)
        defer { unlink(path) }
        guard let pipe = popen("\(root)/.build/venv/bin/python -X utf8 \(path) 2>&1", "r") else {
            throw Broken(description: "no shell")
        }
        defer { pclose(pipe) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = fread(&bytes, 1, bytes.count, pipe)
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").last.map(String.init)
            ?? ""
    }
}

extension String {
    /// For a literal of Python's that holds JSON.
    fileprivate var asciiEscaped: String { replacing("\\", with: "\\\\").replacing("'", with: "\\'") }
}
