"""openapi.json, held against the specification and against itself."""
import re

import jsonschema
import openapi_spec_validator
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012


def test_the_document_is_valid(document):
    openapi_spec_validator.validate(document)
    assert document["openapi"].startswith("3.1")


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete", "head", "options"):
                yield method, path, operation


def test_every_operation_says_what_a_reader_needs(document):
    names = set()
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert operation["operationId"] not in names, f"{where}: {operation['operationId']} names two operations"
        names.add(operation["operationId"])
        assert operation.get("summary") and operation.get("tags"), where
        assert "security" in operation or "security" in document, where
        parameters = {one["name"] for one in map(lambda one: resolve(document, one), operation.get("parameters", [])) if one["in"] == "path"}
        assert parameters == set(re.findall(r"{(\w+)}", path)), where
        successes = [code for code in operation["responses"] if code[0] in "23"]
        assert successes, f"{where} never succeeds"


def resolve(document, node):
    while "$ref" in node:
        target = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def media_types(document):
    """Every (place, media type object) of request and answer bodies."""
    for method, path, operation in operations(document):
        if "requestBody" in operation:
            for kind, media in resolve(document, operation["requestBody"]).get("content", {}).items():
                yield f"{method} {path} request {kind}", media
        for status, answer in operation["responses"].items():
            for kind, media in resolve(document, answer).get("content", {}).items():
                yield f"{method} {path} {status} {kind}", media


def test_every_example_fits_its_schema(document):
    registry = Registry().with_resource("urn:openapi", Resource(document, DRAFT202012))
    faults, checked = [], 0
    for place, media in media_types(document):
        if "schema" not in media:
            continue
        examples = [media["example"]] if "example" in media else []
        examples += [resolve(document, one)["value"] for one in media.get("examples", {}).values()]
        examples += media["schema"].get("examples", [])
        schema = absolute(media["schema"])
        validator = jsonschema.Draft202012Validator(schema, registry=registry, format_checker=jsonschema.FormatChecker())
        for example in examples:
            checked += 1
            faults += [f"{place}: {error.json_path} {error.message[:200]}" for error in validator.iter_errors(example)]
    assert not faults, "\n".join(faults)
    assert checked > 20, "there are hardly any examples"


def absolute(node):
    """The schema with its references led into the document, wherever it is looked at from."""
    if isinstance(node, dict):
        return {key: "urn:openapi" + value if key == "$ref" and value.startswith("#") else absolute(value) for key, value in node.items()}
    if isinstance(node, list):
        return [absolute(value) for value in node]
    return node


def test_every_schema_is_a_schema(document):
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            pytest.fail(f"{name}: {error.message}")


def test_the_yaml_says_the_same(server, document):
    import httpx
    import yaml
    answer = httpx.get(server.url + "/openapi.yaml")
    assert answer.status_code == 200
    assert yaml.safe_load(answer.text) == document
