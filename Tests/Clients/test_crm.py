"""The whole life of a lead, from the form a stranger sends to the deal that is won, told by the generated client over HTTPS."""
import datetime
from types import SimpleNamespace

import httpx
import pytest

from instance import wait_until
from people import Person
from test_story import Story


@pytest.fixture(scope="module")
def story(server, mailbox, client_package):
    return Story(server, mailbox, client_package)


@pytest.fixture(scope="module")
def ada(server, mailbox):
    """The owner of a company that sells bicycles."""
    return Person(server, mailbox).sign_up(company="Bicycles by the lake")


@pytest.fixture(scope="module")
def ben(ada):
    """Who sells with her."""
    return ada.colleague("member")


def by(story, person):
    """Calls in somebody's name, through the generated client."""
    token = person.http.headers["Authorization"].removeprefix("Bearer ")

    def call(method, path, wanted, body=None, **parameters):
        return story.call(token, method, path, wanted, body, **parameters)
    return call


def submit(story, form, **fields):
    """What a stranger's browser does: no token, no client, only the form's address."""
    answer = httpx.post(f"{story.server.url}/v1/p/forms/{form.token}/submissions", json=fields, timeout=20)
    assert answer.status_code == 202, f"{answer.status_code}: {answer.text[:1000]}"
    return answer.json()


def named(stages, name):
    return str(next(stage for stage in stages if stage.name == name).id)


def set_up(story, ada, ben):
    """A source, a form, a rule that takes turns, and a model that rates what comes."""
    call = by(story, ada)
    source = call("POST", "/v1/lead-sources", 201, {"name": "Website", "channel": "form"})
    form = call("POST", "/v1/forms", 201, {
        "name": "Offer for a fleet", "source_id": str(source.id),
        "fields": [
            {"key": "email", "label": "E-mail", "type": "email", "is_required": True, "maps_to": "email"},
            {"key": "who", "label": "Your name", "type": "text", "maps_to": "name"},
            {"key": "firm", "label": "Company", "type": "text", "maps_to": "company"},
            {"key": "land", "label": "Country", "type": "select", "options": ["DE", "CH"], "maps_to": "country"},
            {"key": "wish", "label": "What do you need?", "type": "textarea", "maps_to": "message"},
        ]})
    turns = [{"member_id": one} for one in (ada.member_id(ben.email), ada.member_id(ada.email))]
    rule = call("POST", "/v1/assignment-rules", 201, {
        "name": "From the website", "mode": "round_robin", "members": turns,
        "conditions": [{"field": "source", "sign": "any_of", "values": ["Website"]}]})
    call("POST", "/v1/scoring-models", 201, {
        "name": "Fleets", "is_active": True, "half_life_days": 30, "hot_at": 40,
        "rules": [
            {"name": "From Germany", "points": 10, "conditions": [{"field": "country", "sign": "any_of", "values": ["DE"]}]},
            {"name": "Sent a form", "points": 30, "event": "form.submitted"},
            {"name": "Spoke with us", "points": 5, "event": "activity.logged",
             "conditions": [{"field": "activity_kind", "sign": "any_of", "values": ["call"]}]} if False else
            {"name": "Spoke with us", "points": 5, "event": "activity.logged"},
        ]})
    return SimpleNamespace(source=source, form=form, rule=rule, turns=[one["member_id"] for one in turns])
