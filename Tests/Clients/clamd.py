"""clamd's INSTREAM protocol, as its manual page has it, with one signature of our own; and clamd itself, where it is
installed."""
import os
import shutil
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading

from instance import free_port, wait_until

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


class RealClamd:
    """The program itself, with the same signature and no other."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="infinity-clamd-")
        self.port = free_port()
        with open(os.path.join(self.folder, "own.ndb"), "w") as signatures:
            signatures.write(f"Test.Malware:0:*:{MALWARE.hex()}\n")
        settings = os.path.join(self.folder, "clamd.conf")
        with open(settings, "w") as file:
            file.write(f"DatabaseDirectory {self.folder}\nTCPSocket {self.port}\nTCPAddr 127.0.0.1\nForeground yes\n"
                       "User root\n")
        self.process = subprocess.Popen(["clamd", "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, what="clamd")

    address = property(lambda self: f"127.0.0.1:{self.port}")

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
