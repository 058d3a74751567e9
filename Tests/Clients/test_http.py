"""HTTP as real clients and plain sockets speak it."""
import gzip
import http.client
import json
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.request

import httpx
import pytest
import requests

LIMIT_PROBE = 64 << 20


def exchange(server, data, *, half_close=False, timeout=10):
    """Sends bytes and reads until the server closes."""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


def status_of(received):
    return int(received.split(b" ", 2)[1])


def test_one_connection_carries_many_requests(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=10)
    connection.connect()
    port = connection.sock.getsockname()[1]
    for _ in range(50):
        connection.request("GET", "/livez")
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read()
        assert connection.sock.getsockname()[1] == port
    connection.close()


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def test_what_a_request_used_is_given_back(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=10)

    def ask(times):
        for number in range(times):
            connection.request("GET", "/livez" if number % 2 else "/v1/auth/me")
            connection.getresponse().read()

    ask(4_000)
    before = resident_kib(server.process.pid)
    ask(20_000)
    grown = resident_kib(server.process.pid) - before
    assert grown < 6 * 1024, f"{grown} KiB more after 20,000 requests"


def test_pipelined_requests_are_answered_in_order(server):
    one = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
    two = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    received = exchange(server, one + two + last)
    assert re.findall(rb"HTTP/1\.1 (\d{3}) [A-Za-z ]+\r\ndate", received) == [b"200", b"200", b"404"]
    assert received.index(b'"openapi"') < received.index(b"HTTP/1.1 404")


def test_gzip_only_when_asked_and_the_same_inside(server):
    plain = requests.get(server.url + "/openapi.json", headers={"Accept-Encoding": "identity"})
    packed = requests.get(server.url + "/openapi.json", headers={"Accept-Encoding": "gzip"}, stream=True)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["Vary"].lower()
    assert gzip.decompress(packed.raw.read(decode_content=False)) == plain.content
    refused = requests.get(server.url + "/openapi.json", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers


def test_an_unchanged_answer_is_not_sent_twice(server):
    first = httpx.get(server.url + "/openapi.json")
    again = httpx.get(server.url + "/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and again.content == b""


def test_head_has_the_fields_of_get_and_no_body(server):
    got, head = httpx.get(server.url + "/openapi.json"), httpx.head(server.url + "/openapi.json")
    assert head.status_code == 200 and head.content == b""
    assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert head.headers.get("ETag") == got.headers.get("ETag")
    received = exchange(server, b"HEAD /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert received.endswith(b"\r\n\r\n")


def test_http_1_0_is_answered_and_closed(server):
    received = exchange(server, b"GET /openapi.json HTTP/1.0\r\n\r\n")
    head, body = received.split(b"\r\n\r\n", 1)
    assert status_of(received) == 200
    assert b"transfer-encoding" not in head.lower()
    assert json.loads(body)["openapi"]


def test_http_1_0_may_ask_to_keep_the_connection(server):
    received = exchange(server, b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /livez HTTP/1.0\r\n\r\n")
    assert received.count(b" 200 ") == 2


def test_a_half_closed_connection_still_gets_its_answer(server):
    assert status_of(exchange(server, b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n", half_close=True)) == 200


@pytest.mark.parametrize("request_bytes, wanted", [
    (b"GET /livez HTTP/1.1\r\n\r\n", 400),
    (b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET /livez HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    (b"GET /livez HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400),
    (b"GET /livez HTTP/1.1\r\nHost: a\r\nBad\x00Name: b\r\n\r\n", 400),
    (b"GET  /livez HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /livez HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    (b"BREW /livez HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    (b"GET /v1/%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /v1/../livez HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /v1/%2e%2e/livez HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    (b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}", 400),
    (b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    (b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    (b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * 200000 + b"\r\n\r\n", 431),
    (b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(2000)) + b"\r\n", 431),
], ids=lambda value: value[:60].decode("latin-1").split("\r\n\r\n")[0] if isinstance(value, bytes) else str(value))
def test_a_broken_request_is_refused_and_the_connection_closed(server, request_bytes, wanted):
    received = exchange(server, request_bytes)
    assert status_of(received) == wanted, received[:400]
    assert b"connection: close" in received.lower()
    assert b"application/problem+json" in received


def test_the_wrong_method_is_told_the_right_ones(server):
    answer = httpx.put(server.url + "/v1/auth/login", json={})
    assert answer.status_code == 405 and "POST" in answer.headers["Allow"]
    assert answer.json()["code"] == "method-not-allowed"
    assert httpx.options(server.url + "/v1/auth/login").status_code in (200, 204)


def test_chunked_bodies_are_read(server):
    body = json.dumps({"email": "nobody@clients.example", "password": "wrong-wrong-1"}).encode()
    def parts():
        yield body[:7]
        yield body[7:]
    answer = requests.post(server.url + "/v1/auth/login", data=parts(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 401, answer.text
    raw = (b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n"
           b"Transfer-Encoding: chunked\r\n\r\n%x;name=\"a b\"\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(body), body))
    assert status_of(exchange(server, raw)) == 401


def test_gzip_bodies_are_read_and_bombs_are_not(server):
    body = json.dumps({"email": "nobody@clients.example", "password": "wrong-wrong-1"}).encode()
    fields = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert httpx.post(server.url + "/v1/auth/login", content=gzip.compress(body), headers=fields).status_code == 401
    bomb = gzip.compress(b'{"email":"' + b"a" * (200 << 20) + b'"}')
    assert httpx.post(server.url + "/v1/auth/login", content=bomb, headers=fields, timeout=20).status_code == 413
    assert httpx.post(server.url + "/v1/auth/login", content=b"not gzip", headers=fields).status_code == 400


def test_expect_continue_is_answered_before_the_body(server):
    head = (b"POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n")
    with socket.create_connection(("127.0.0.1", server.http_port), 10) as connection:
        body = b'{"email":"nobody@clients.example","password":"wrong-wrong-1"}'
        connection.sendall(head % len(body))
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert status_of(connection.recv(65536)) == 401
    received = exchange(server, head % (10 << 30))
    assert status_of(received) == 413 and b"connection: close" in received.lower()


@pytest.mark.parametrize("client", ["requests", "urllib", "httpx", "curl", "http.client"])
def test_a_body_too_large_is_refused_readably_while_it_is_still_being_written(server, client):
    body, url, fields = b"a" * (8 << 20), server.url + "/v1/auth/login", {"Content-Type": "application/json"}
    if client == "requests":
        status = requests.post(url, data=body, headers=fields, timeout=20).status_code
    elif client == "httpx":
        status = httpx.post(url, content=body, headers=fields, timeout=20).status_code
    elif client == "urllib":
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(urllib.request.Request(url, body, fields), timeout=20)
        status = error.value.code
    elif client == "http.client":
        connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=20)
        connection.request("POST", "/v1/auth/login", body, fields)
        status = connection.getresponse().status
    else:
        result = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: application/json",
                                 "-H", "Expect:", "--data-binary", "@-", url], input=body, capture_output=True, timeout=20)
        assert result.returncode == 0, result.stderr
        status = int(result.stdout)
    assert status == 413


def test_curl_speaks_to_it_in_every_version(server, tmp_path):
    pem = tmp_path / "server.pem"
    pem.write_text(server.certificate())
    for options in (["--http1.1"], ["--http1.0"], ["--http2"], ["--compressed"], ["--tls-max", "1.2"], ["--tlsv1.3"]):
        result = subprocess.run(["curl", "-sS", "--cacert", str(pem), *options, "-o", "/dev/null", "-w", "%{http_code}",
                                 server.https_url + "/openapi.json"], capture_output=True, text=True, timeout=20)
        assert (result.returncode, result.stdout) == (0, "200"), f"{options}: {result.stderr}"


def test_https_is_trusted_and_asked_for_when_the_public_address_is_https(server):
    answer = httpx.get(server.https_url + "/livez", verify=server.trust())
    assert answer.status_code == 200
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in httpx.get(server.url + "/livez").headers


def test_every_answer_carries_what_browsers_and_operators_need(server):
    for path, wanted in (("/livez", 200), ("/v1/auth/me", 401), ("/nowhere", 404)):
        answer = httpx.get(server.url + path, headers={"X-Request-Id": "from-the-caller-1"})
        assert answer.status_code == wanted
        assert answer.headers["X-Request-Id"] == "from-the-caller-1"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"]
        if wanted >= 400:
            problem = answer.json()
            assert answer.headers["Content-Type"].startswith("application/problem+json")
            assert problem["status"] == wanted and problem["code"] and problem["request_id"] == "from-the-caller-1"
    assert httpx.get(server.url + "/v1/auth/me").headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("body, wanted", [
    (b"", 400), (b"{", 400), (b"[]", 422), (b'{"email":"a@b.example","email":"c@d.example","password":"x"}', 400),
    (b'{"email":"a\\u0000b@c.example","password":"xxxxxxxx"}', 400), (b'{"email":"\\ud800","password":"xxxxxxxx"}', 400),
    (b"\xff\xfe", 400), (b"[" * 50000, 400), (b'{"e-mail":"a@b.example","password":"xxxxxxxx"}', 422),
], ids=lambda value: repr(value)[:60])
def test_a_bad_body_is_the_callers_mistake(server, body, wanted):
    answer = httpx.post(server.url + "/v1/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == wanted or (wanted == 422 and answer.status_code == 400), answer.text
    assert answer.json()["code"]
    wrong_kind = httpx.post(server.url + "/v1/auth/login", content=b"a=b", headers={"Content-Type": "text/csv"})
    assert wrong_kind.status_code == 415


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Debian's package prometheus")
def test_promtool_finds_nothing_wrong_with_the_figures(server, owner):
    owner.expect(200, "GET", "/v1/teams")
    figures = requests.get(f"{server.url}/metrics", timeout=10).text
    assert 'http_requests_total{route="/v1/teams"' in figures
    check = subprocess.run(["promtool", "check", "metrics"], input=figures, text=True, capture_output=True)
    assert check.returncode == 0, check.stderr + check.stdout
