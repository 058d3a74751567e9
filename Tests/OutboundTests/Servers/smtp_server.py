"""A real SMTP server (aiosmtpd) for the tests of the mail client.

Prints one JSON line {"port": …, "ca": …}, then one JSON line for each message it accepts; ends when its standard
input is closed. Arguments, any of: starttls, implicit, auth (wants user "mailer", password "s3cret pass"), login-only.
Recipients decide what happens: reject@ 550, later@ 451, data-reject@ 554 after the content, data-later@ 452,
hang-up@ closes the connection.
"""
import asyncio, email, email.policy, json, os, ssl, sys, tempfile

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

options = set(sys.argv[1:])


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("reject@"):
            return "550 5.1.1 no such person"
        if address.startswith("later@"):
            return "451 4.3.0 try again later"
        if address.startswith("hang-up@"):
            server.transport.abort()
            return "421 bye"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if any(address.startswith("data-reject@") for address in envelope.rcpt_tos):
            return "554 5.7.1 looks like spam"
        if any(address.startswith("data-later@") for address in envelope.rcpt_tos):
            return "452 4.2.2 mailbox full"
        parsed = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        print(
            json.dumps(
                {
                    "from": envelope.mail_from,
                    "to": envelope.rcpt_tos,
                    "content": envelope.original_content.decode("latin-1"),
                    "headers": {name: str(value) for name, value in parsed.items()},
                    "shown": [address.display_name for name in ("From", "To") for address in parsed[name].addresses],
                    "parts": [[part.get_content_type(), part.get_content().replace("\r\n", "\n")] for part in parsed.walk() if not part.is_multipart()],
                    "defects": [str(defect) for part in parsed.walk() for defect in part.defects],
                    "ehlo": session.host_name,
                    "tls": session.ssl is not None,
                    "user": session.auth_data.login.decode() if session.authenticated else None,
                    "options": envelope.mail_options,
                    "peer": session.peer[1],
                }
            ),
            flush=True,
        )
        return "250 2.0.0 queued as 42"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == b"mailer" and data.password == b"s3cret pass"
    return AuthResult(success=good, auth_data=data, handled=True if good else False)


async def main():
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    with tempfile.NamedTemporaryFile(suffix=".pem", delete=False) as file:
        file.write(ca.cert_pem.bytes())
    loop = asyncio.get_running_loop()

    def session():
        return SMTP(
            Handler(),
            enable_SMTPUTF8=True,
            data_size_limit=200_000,
            tls_context=context if "starttls" in options else None,
            require_starttls="starttls-only" in options,
            auth_required="auth" in options,
            auth_require_tls="starttls" in options,
            authenticator=authenticate if "auth" in options else None,
            auth_exclude_mechanism=["PLAIN"] if "login-only" in options else None,
            loop=loop,
        )

    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if "implicit" in options else None)
    print(json.dumps({"port": server.sockets[0].getsockname()[1], "ca": file.name}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    os.unlink(file.name)
    os._exit(0)


asyncio.run(main())
