"""Mail leaves over STARTTLS with a login, and waits while the mail server is away."""
import ssl
import subprocess

import pytest

from instance import Instance
from mailbox import Mailbox, links_of, text_of
from people import PASSWORD, Person


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


def test_mail_goes_out_encrypted_and_logged_in(cluster, authority):
    certificate, context = authority
    box = Mailbox(tls_context=context, login=("postman", "pa:ss/word")).start()
    instance = Instance(DATABASE_URL=cluster.create("mail"),
                        INFINITY_SMTP_URL=f"smtp://postman:pa%3Ass%2Fword@localhost:{box.port}?ca={certificate}",
                        INFINITY_MAIL_FROM="Infinity <hello@infinity.example>")
    try:
        instance.start()
        person = Person(instance, box)
        person.expect(202, "POST", "/v1/auth/signup",
                      json={"email": person.email, "password": PASSWORD, "name": "Zoë <Ada>", "company_name": "Ümläut"})
        message = box.wait_for(person.email)
        assert box.sessions[-1] == {"tls": True, "authenticated": True}
        assert message["from"].addresses[0].addr_spec == "hello@infinity.example"
        assert message["message-id"] and message["date"]
        assert "Zoë" in text_of(message)
        html = message.get_body(("html",)).get_content()
        assert "Zoë &lt;Ada&gt;" in html and links_of(message)
    finally:
        instance.remove()
        box.stop()


def test_a_dead_mail_server_loses_nothing(cluster, mailbox):
    box = Mailbox()
    instance = Instance(DATABASE_URL=cluster.create("mail_later"), INFINITY_SMTP_URL=f"smtp://127.0.0.1:{box.port}")
    try:
        instance.start()
        person = Person(instance, box)
        person.expect(202, "POST", "/v1/auth/signup",
                      json={"email": person.email, "password": PASSWORD, "name": "Ada", "company_name": "Later"})
        box.start()
        box.wait_for(person.email, seconds=40)
    finally:
        instance.remove()
        if box.controller.server is not None:
            box.stop()
