import API
import Glibc
import Testing
import Wire

@Suite struct DocsTests {
    @Test func `the contract is served with a tag that saves the second reading`() async throws {
        let ground = try await Ground()
        let client = ground.client().as(nil)
        for (path, kind) in [("/openapi.json", "application/json"), ("/openapi.yaml", "application/yaml")] {
            let first = try client.get(path)
            #expect(first.status == 200)
            #expect(first["content-type"] == kind)
            #expect(try client.get(path, ["If-None-Match": first["etag"]!]).status == 304)
        }
        #expect(try client.get("/openapi.json").json["openapi"] == "3.1.0")
    }

    @Test func `without Swagger UI the docs are the built-in page`() async throws {
        let ground = try await Ground()
        let client = ground.client().as(nil)
        let page = try client.get("/docs")
        #expect(page.status == 200)
        #expect(page["content-type"] == "text/html; charset=utf-8")
        #expect(page["content-security-policy"]?.contains("script-src 'self'") == true)
        #expect(!page.text.contains("<script>"))
        for path in ["/docs/reference.js", "/docs/reference.css"] {
            #expect(page.text.contains(path))
            #expect(try client.get(path).status == 200)
        }
        #expect(try client.get("/docs/errors").text.contains("id=\"board-name-taken\""))
    }

    @Test func `with its files the docs are Swagger UI`() async throws {
        let folder = "/tmp/infinity-docs-\(UUID.v7())"
        mkdir(folder, 0o755)
        defer {
            for name in ["swagger-ui-bundle.js", "swagger-ui-bundle.js.gz", "swagger-ui.css"] {
                unlink("\(folder)/\(name)")
            }; rmdir(folder)
        }
        for (name, text) in [
            ("swagger-ui-bundle.js", "bundle()"), ("swagger-ui-bundle.js.gz", "zipped"),
            ("swagger-ui.css", "a{}"),
        ] {
            let file = fopen("\(folder)/\(name)", "w")
            fputs(text, file)
            fclose(file)
        }
        let ground = try await Ground { $0.docsFolder = folder }
        let client = ground.client().as(nil)
        #expect(try client.get("/docs").text.contains("/docs/swagger-ui-bundle.js"))
        #expect(try client.get("/docs/swagger-ui-bundle.js").text == "bundle()")
        let zipped = try client.get("/docs/swagger-ui-bundle.js", ["Accept-Encoding": "gzip"])
        #expect(zipped.text == "zipped")
        #expect(zipped["content-encoding"] == "gzip")
        #expect(try client.get("/docs/init.js").text.contains("validatorUrl: null"))
    }
}
