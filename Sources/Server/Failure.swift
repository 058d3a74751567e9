import App
import ArgumentParser
import Core
import Glibc
import HTTP
import Postgres

/// Why a command ends without having done its work: one sentence with the cause and the command that mends it.
struct Failure: Error {
    /// The codes of sysexits.h, so that a supervisor can tell what is worth another try.
    enum Code: Int32 {
        /// Something we need (a port, the database) is not there now.
        case unavailable = 69
        /// A bug.
        case software = 70
        /// A folder or file could not be written.
        case cannotCreate = 73
        case configuration = 78
    }

    let code: Code
    let message: String

    /// Runs a command and ends the process; what it throws is told in a sentence, with its code.
    static func reporting(_ body: () throws -> Void) -> Never {
        do {
            try body()
            leave(0)
        } catch let failure as Failure {
            end(failure)
        } catch let fault as SettingsFault {
            end(Failure(code: .configuration, message: fault.problems.joined(separator: "\ninfinity: ")))
        } catch let code as ExitCode {
            leave(code.rawValue)
        } catch let fault as DemoCompany.Fault {
            end(Failure(code: .configuration, message: fault.description))
        } catch let error as MigrationError {
            end(Failure(code: .configuration, message: error.description))
        } catch let error as DatabaseError {
            end(Failure(code: .unavailable, message: "the database: \(error.debugText)"))
        } catch let fault as EmbeddedPostgresFault {
            end(Failure(code: fault.code, message: fault.description))
        } catch {
            end(Failure(code: .software, message: "\(error)"))
        }
    }

    private static func end(_ failure: Failure) -> Never {
        StandardError.write("infinity: \(failure.message)\n")
        leave(failure.code.rawValue)
    }

    /// Ends the process without taking libraries down: a thread may still be dialling, inside libpq and Kerberos, and
    /// what `exit` tears down under it aborts the process instead of ending it.
    private static func leave(_ code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }
}

extension Failure {
    /// A port that cannot be opened, with what frees it or names another.
    init(listen error: ListenError, _ settings: Settings) {
        let isHTTPS = error.port == settings.httpsPort
        let name = isHTTPS ? Settings.name(\.httpsPort) : Settings.name(\.httpPort)
        switch error.reason {
        case .portTaken:
            self.init(
                code: .unavailable,
                message: "port \(error.port) on \(error.host) is taken; see by whom with: "
                    + "ss -ltnp 'sport = :\(error.port)'; or choose another port with: "
                    + "\(name)=\(error.port + 1000) infinity serve")
        case .notPermitted:
            self.init(
                code: .configuration,
                message:
                    "port \(error.port) is the system's, and this user may not open it; choose one above 1023 with: "
                    + "\(name)=\(error.port + 8000) infinity serve; or allow it with: "
                    + "sudo setcap cap_net_bind_service=+ep $(readlink -f $(command -v infinity))")
        case .noSuchAddress:
            self.init(
                code: .configuration,
                message:
                    "\(error.host) is not an address of this machine; see those it has with: ip -brief address; "
                    + "and set INFINITY_BIND to one of them, or to 0.0.0.0")
        case .other(let code):
            self.init(
                code: .unavailable,
                message: "port \(error.port) on \(error.host) cannot be opened: \(SystemError.text(code))")
        }
    }
}

extension EmbeddedPostgresFault {
    fileprivate var code: Failure.Code {
        switch kind {
        case .notInstalled, .wrongVersion: .configuration
        case .unwritable: .cannotCreate
        case .inUse, .failed: .unavailable
        }
    }
}

/// For sentences to the person at the terminal; the log has its own writer.
enum StandardError {
    static func write(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
