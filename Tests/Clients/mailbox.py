"""A real SMTP server that keeps what it is sent."""
import email
import email.policy
import re

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from instance import free_port, wait_until


class Mailbox:
    """Takes mail for anybody. With a TLS context it offers STARTTLS; with a login it asks for one."""

    def __init__(self, tls_context=None, login=None):
        self.messages = []
        self.login = login
        self.sessions = []
        options = {}
        if tls_context is not None:
            options = {"tls_context": tls_context, "require_starttls": True}
        if login is not None:
            options |= {"authenticator": self.authenticate, "auth_required": True, "auth_require_tls": tls_context is not None}
        self.port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)

    def authenticate(self, server, session, envelope, mechanism, data):
        given = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self.login)

    async def handle_DATA(self, server, session, envelope):
        self.sessions.append({"tls": session.ssl is not None, "authenticated": session.authenticated})
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        message.recipients = list(envelope.rcpt_tos)
        self.messages.append(message)
        return "250 taken"

    def start(self):
        self.controller.start()
        return self

    def stop(self):
        self.controller.stop()

    def wait_for(self, address, subject_or_text="", seconds=15):
        """The newest message to an address that holds a text in its subject or body."""
        def found():
            for message in reversed(self.messages):
                if address in message.recipients and subject_or_text.lower() in (message["subject"] + text_of(message)).lower():
                    return message
            return None
        return wait_until(found, seconds, what=f"mail to {address} with {subject_or_text!r}")


def text_of(message):
    return message.get_body(("plain",)).get_content()


def links_of(message):
    return re.findall(r"https?://[^\s<>\"]+", text_of(message))


def token_of(message):
    """The secret that the message's link carries behind # or =."""
    for link in links_of(message):
        match = re.search(r"[#=]([A-Za-z0-9_.~-]{16,})$", link)
        if match:
            return match[1]
    raise AssertionError(f"no link with a token in:\n{text_of(message)}")
