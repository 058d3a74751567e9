import App
import ArgumentParser
import Core
import Glibc
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

    /// Runs a command; what it throws ends the process with a sentence and its code.
    static func reporting(_ body: () throws -> Void) {
        do {
            try body()
        } catch let failure as Failure {
            end(failure)
        } catch let fault as SettingsFault {
            end(Failure(code: .configuration, message: fault.problems.joined(separator: "\ninfinity: ")))
        } catch let code as ExitCode {
            exit(code.rawValue)
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
        exit(failure.code.rawValue)
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
