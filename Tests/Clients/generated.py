"""The client that openapi-python-client makes from the served document, and calls through it by method and path."""
import importlib
import inspect
import json
import os
import re
import subprocess
import sys

from instance import ROOT

FOLDER = os.path.join(ROOT, ".build", "clients")
NAME = "infinity_client"


def package(document):
    """Generates and imports it; a warning of the generator is a failure, because it then left something out."""
    os.makedirs(FOLDER, exist_ok=True)
    source, settings = os.path.join(FOLDER, "openapi.json"), os.path.join(FOLDER, "settings.json")
    with open(source, "w") as file:
        json.dump(document, file)
    with open(settings, "w") as file:
        # What it does not know by itself is bytes or text to a client.
        known = dict.fromkeys(("application/x-ndjson", "image/svg+xml"), "text/plain")
        known |= dict.fromkeys(("*/*", "application/zip", "application/offset+octet-stream", "text/csv"), "application/octet-stream")
        json.dump({"package_name_override": NAME, "post_hooks": [], "content_type_overrides": known}, file)
    result = subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "openapi-python-client"), "generate", "--path", source, "--meta", "none",
         "--output-path", os.path.join(FOLDER, NAME), "--overwrite", "--config", settings, "--fail-on-warning"],
        text=True, capture_output=True, timeout=120)
    assert result.returncode == 0, f"openapi-python-client:\n{result.stdout[-4000:]}\n{result.stderr[-2000:]}"
    sys.path.insert(0, FOLDER)
    return Package(document)


class Package:
    def __init__(self, document):
        self.root = importlib.import_module(NAME)
        self.operations = {}
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if isinstance(operation, dict) and "operationId" in operation:
                    self.operations[method.upper(), path] = operation

    def client(self, url, token=None, trust=True):
        options = {"base_url": url, "verify_ssl": trust, "raise_on_unexpected_status": True}
        if token is None:
            return self.root.Client(**options)
        return self.root.AuthenticatedClient(token=token, **options)

    def call(self, client, method, path, body=None, **parameters):
        """Calls the generated function of an operation; the body goes through its generated model."""
        operation = self.operations[method, path]
        tag, name = snake(operation["tags"][0]), snake(operation["operationId"])
        module = importlib.import_module(f"{NAME}.api.{tag}.{name}")
        if body is not None:
            model = inspect.signature(module.sync_detailed).parameters["body"].annotation
            parameters["body"] = model_of(model).from_dict(body)
        return module.sync_detailed(client=client, **parameters)


def model_of(annotation):
    """The model class of `body: Model`, or of `body: Model | Unset`."""
    choices = getattr(annotation, "__args__", (annotation,))
    return next(choice for choice in choices if hasattr(choice, "from_dict"))


def snake(name):
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
