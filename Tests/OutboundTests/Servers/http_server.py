"""A small HTTP server for the tests of the outbound client: each path misbehaves in its own way.

Prints one JSON line {"port": …, "ca": …} when it listens; ends when its standard input is closed.
Argument: "plain", "tls" or "proxy".
"""
import asyncio, gzip, json, ssl, sys, tempfile

connections = 0
sent = {}


async def head(reader):
    data = await reader.readuntil(b"\r\n\r\n")
    lines = data.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    return method, target, [line.split(": ", 1) if ": " in line else [line.rstrip(":"), ""] for line in lines[1:] if line]


def answer(status, body=b"", *headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def serve(reader, writer):
    global connections
    connections += 1
    number = connections
    try:
        while True:
            method, target, fields = await head(reader)
            if method == "CONNECT":
                return await tunnel(target, reader, writer)
            headers = {name.lower(): value for name, value in fields}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            if not await respond(method, target, fields, body, number, writer):
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def tunnel(target, reader, writer):
    host, port = target.rsplit(":", 1)
    up_reader, up_writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(b"HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")

    async def copy(source, sink):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.close()

    await asyncio.gather(copy(reader, up_writer), copy(up_reader, writer))


async def respond(method, target, fields, body, number, writer):
    path = target.split("?")[0]
    if path.startswith("http://"):
        path = "/" + path.split("/", 3)[3]
    if path == "/echo":
        told = {"method": method, "target": target, "fields": fields, "body": body.decode("latin-1"), "connection": number}
        writer.write(answer("200 OK", json.dumps(told).encode(), "Content-Type: application/json", "X-Two: a", "X-Two: b"))
    elif path == "/gzip":
        writer.write(answer("200 OK", gzip.compress(b"word " * 1000), "Content-Encoding: gzip"))
    elif path == "/bad-gzip":
        writer.write(answer("200 OK", b"no gzip at all", "Content-Encoding: gzip"))
    elif path == "/bomb":
        writer.write(answer("200 OK", gzip.compress(bytes(64 << 20)), "Content-Encoding: gzip"))
    elif path == "/redirect":
        writer.write(answer("302 Found", b"", "Location: /echo"))
    elif path == "/early-hints":
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + answer("204 No Content"))
    elif path == "/silence":
        await asyncio.sleep(3600)
    elif path == "/half":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        return False
    elif path == "/stall":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await asyncio.sleep(3600)
    elif path == "/drip":
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1\r\n.\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)
    elif path == "/chunks":
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for word in ("one", "two", "three"):
            writer.write(f"{len(word):x}\r\n{word}\r\n".encode())
            await writer.drain()
            await asyncio.sleep(0.05)
        writer.write(b"0\r\nX-Trailer: t\r\n\r\n")
    elif path == "/flood":
        # As much as anybody takes, up to 200 MB; how much it was can be asked for under /flooded.
        writer.transport.set_write_buffer_limits(high=65536)
        sent[target] = 0
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 209715200\r\n\r\n")
        for _ in range(3200):
            writer.write(bytes(65536))
            await writer.drain()
            sent[target] += 65536
    elif path == "/flooded":
        writer.write(answer("200 OK", str(sent.get(target.replace("/flooded", "/flood"), 0)).encode()))
    elif path == "/rubbish":
        writer.write(b"220 this is no web server\r\n\r\n")
        await writer.drain()
        return False
    elif path == "/long-head":
        writer.write(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(100)) + b"\r\n")
        await writer.drain()
        return False
    elif path == "/hang-up":
        return False
    else:
        writer.write(answer("404 Not Found"))
    await writer.drain()
    return True


async def main():
    context, authority = None, None
    if sys.argv[1] == "tls":
        import trustme

        ca = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        with tempfile.NamedTemporaryFile(suffix=".pem", delete=False) as file:
            file.write(ca.cert_pem.bytes())
        authority = file.name
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(json.dumps({"port": server.sockets[0].getsockname()[1], "ca": authority}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    sys.stdout.flush()
    import os

    if authority:
        os.unlink(authority)
    os._exit(0)


asyncio.run(main())
