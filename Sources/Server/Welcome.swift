import App
import Core
import Glibc
import Telemetry

/// What a newcomer needs to see after the first start: the documentation, a login, and a line that works when pasted.
enum Welcome {
    static func show(_ login: DemoCompany.Login, _ settings: Settings) {
        // The log goes another way; what it said so far comes first.
        LineWriter.standardError.flush()
        let address = settings.publicURL.text
        print(
            """

              Documentation   \(address)/docs
              Demo login      \(login.email)
              Password        \(login.password)

              curl -s \(address)/v1/auth/login -H 'content-type: application/json' \
            -d '{"email":"\(login.email)","password":"\(login.password)"}'

            """)
        fflush(nil)
    }
}
