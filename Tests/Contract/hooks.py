"""What schemathesis cannot know of a request it makes up, and how it stays signed in."""
import os
import uuid

import requests
import schemathesis
from schemathesis import GenerationMode


@schemathesis.auth(refresh_interval=60, retry_on=[401])
class SignedIn:
    """A session of its own; a call that ends it costs that one call, for the next begins with a new one."""

    def get(self, case, context):
        answer = requests.post(os.environ["INFINITY_URL"] + "/v1/auth/login", timeout=20, json={
            "email": os.environ["INFINITY_EMAIL"], "password": os.environ["INFINITY_PASSWORD"]})
        answer.raise_for_status()
        return answer.json()["access_token"]

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = "Bearer " + data


@schemathesis.hook
def before_call(context, case, **options):
    """A right request has a key that was not used before, a version that fits, no cursor, for only the server can make
    one, and no `fields`, which leaves out what the schema of the whole answer demands."""
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    headers, query = case.headers or {}, case.query or {}
    for name in list(headers):
        if name.lower() == "idempotency-key":
            headers[name] = str(uuid.uuid4())
        elif name.lower() == "if-match":
            headers[name] = "*"
        elif name.lower() == "if-none-match":
            del headers[name]
    for name in ("cursor", "fields"):
        query.pop(name, None)


@schemathesis.serializer("application/offset+octet-stream")
def pieces(context, value):
    """A piece of a resumable upload is bytes as they are."""
    return value if isinstance(value, bytes) else str(value).encode()
