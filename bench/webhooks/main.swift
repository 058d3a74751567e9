import Glibc
import Loop

// Both ends of the benchmark of webhooks; bench/webhooks/run.py drives them.
let words = Array(CommandLine.arguments.dropFirst())
let numbers = words.dropFirst().compactMap { Double($0) }
var files = rlimit()
getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
files.rlim_cur = files.rlim_max
setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
let loops = LoopGroup(count: 1)
switch (words.first, numbers.count) {
case ("send", 5):
    let sending = Sending(numbers, loops)
    loops.loops[0].execute { sending.feed() }
    while true { pause() }
case ("receive", 2):
    try Receiving(port: Int(numbers[0]), hanging: Int(numbers[1]), loops).run()
default:
    print("usage: webhook-bench send PORT COUNT RATE CONCURRENCY PER_HOST | receive PORT HANGING")
    exit(64)
}
