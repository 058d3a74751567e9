"""clamd's INSTREAM protocol, as its manual page has it, with one signature of our own."""
import socketserver
import struct
import threading

MALWARE = b"this-is-malware-for-the-tests"


class Clamd(socketserver.ThreadingTCPServer):
    """A scanner on a free port. While `is_asleep` it takes connections and says nothing of use."""
    allow_reuse_address, daemon_threads = True, True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.is_asleep = False
        self.looked_at = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    address = property(lambda self: "127.0.0.1:%d" % self.server_address[1])


class Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        command = b""
        while not command.endswith(b"\0"):
            byte = self.rfile.read(1)
            if not byte:
                return
            command += byte
        if command == b"zPING\0":
            self.wfile.write(b"PONG\0")
        elif command == b"zINSTREAM\0":
            content = b""
            while size := struct.unpack(">I", self.rfile.read(4))[0]:
                content += self.rfile.read(size)
            self.server.looked_at.append(len(content))
            if self.server.is_asleep:
                self.wfile.write(b"INSTREAM: loading signatures. ERROR\0")
            else:
                self.wfile.write(b"stream: Test.Malware FOUND\0" if MALWARE in content else b"stream: OK\0")
