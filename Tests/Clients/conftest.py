"""What the tests share: one running server with a mail server beside it, one database cluster, the generated client."""
import pytest

import generated
from instance import Instance
from mailbox import Mailbox
from people import Person
from postgres import Cluster


@pytest.fixture(scope="session")
def mailbox():
    box = Mailbox().start()
    yield box
    box.stop()


@pytest.fixture(scope="session")
def server(mailbox):
    """A server with its own embedded database, mailing to `mailbox`."""
    instance = Instance(INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}")
    try:
        instance.start()
        yield instance
    finally:
        instance.remove()


@pytest.fixture
def fragile(mailbox):
    """A server of the test's own, to be killed."""
    instance = Instance(INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}")
    try:
        instance.start()
        yield instance
    finally:
        instance.remove()


@pytest.fixture(scope="session")
def document(server):
    return server.document()


@pytest.fixture(scope="session")
def client_package(document):
    return generated.package(document)


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL that several instances can share."""
    cluster = Cluster()
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def owner(server, mailbox):
    """Somebody with a company of her own."""
    return Person(server, mailbox).sign_up(company="Northwind")
