"""A lead's whole life, from the form that a stranger sends to the deal that is won, told by the generated client over HTTPS."""
import datetime
from types import SimpleNamespace

import httpx
import pytest

from instance import wait_until
from people import Person
from test_story import Story

# 12.5 days at 960.00 less 5 %, and one thing at 49.99 that no product is.
DAYS, RACK = 1_140_000, 4_999


@pytest.fixture(scope="module")
def story(server, mailbox, client_package):
    return Story(server, mailbox, client_package)


@pytest.fixture(scope="module")
def ada(server, mailbox):
    """The owner of a company of her own."""
    return Person(server, mailbox).sign_up(company="Bicycles by the Lake")


@pytest.fixture(scope="module")
def ben(ada):
    """Who sells with her."""
    return ada.colleague("member")


@pytest.fixture(scope="module")
def house(story, ada, ben):
    """A source, a published form of it, a rule by which the two take turns, and a model that rates what comes."""
    call = by(story, ada)
    source = call("POST", "/v1/lead-sources", 201, {"name": "Website", "channel": "form"})
    turns = [ada.member_id(ben.email), ada.member_id(ada.email)]
    rule = call("POST", "/v1/assignment-rules", 201, {
        "name": "From the website", "mode": "round_robin", "members": [{"member_id": one} for one in turns],
        "conditions": [{"field": "source", "sign": "any_of", "values": ["website"]}]})
    call("POST", "/v1/scoring-models", 201, {
        "name": "Fleets", "is_active": True, "half_life_days": 30, "hot_at": 40,
        "rules": [
            {"name": "From Germany", "points": 10, "conditions": [{"field": "country", "sign": "any_of", "values": ["DE"]}]},
            {"name": "Sent a form", "points": 30, "event": "form.submitted"},
            {"name": "Spoke with us", "points": 5, "event": "activity.logged"},
        ]})
    form = call("POST", "/v1/forms", 201, {
        "name": "Offer for a fleet", "source_id": str(source.id),
        "fields": [
            {"key": "email", "label": "E-mail", "type": "email", "is_required": True, "maps_to": "email"},
            {"key": "who", "label": "Your name", "type": "text", "maps_to": "name"},
            {"key": "firm", "label": "Company", "type": "text", "maps_to": "company"},
            {"key": "land", "label": "Country", "type": "select", "options": ["CH", "DE"], "maps_to": "country"},
            {"key": "wish", "label": "What do you need?", "type": "textarea", "maps_to": "message"},
        ]})
    # Nothing comes in by it before it is published.
    call("GET", "/v1/p/forms/{token}", 404, token=form.token)
    assert send(story, form, email="early@bird.example").status_code == 404
    form = call("POST", "/v1/forms/{id}/publish", 200, id=form.id)
    assert form.is_published
    return SimpleNamespace(source=source, rule=rule, turns=turns, form=form)


def by(story, person):
    """Calls in somebody's name; without a person, in nobody's."""
    token = person and person.http.headers["Authorization"].removeprefix("Bearer ")

    def call(method, path, wanted, body=None, **parameters):
        client = story.package.client(story.server.https_url, token, story.trust)
        answer = story.package.call(client, method, path, body, **parameters)
        assert answer.status_code == wanted, f"{method} {path} gave {answer.status_code}: {answer.content[:1000]}"
        return answer.parsed
    return call


def send(story, form, **fields):
    """What a page does with a form: it knows nothing but the form's address."""
    return httpx.post(f"{story.server.url}/v1/p/forms/{form.token}/submissions", json=fields, timeout=20)


def arrival(story, ada, form, **fields):
    """Sends the form and waits for the lead that comes of it."""
    answer = send(story, form, **fields)
    assert answer.status_code == 202, f"{answer.status_code}: {answer.text[:1000]}"
    call, submission = by(story, ada), answer.json()["submission_id"]
    done = wait_until(
        lambda: (one := call("GET", "/v1/submissions/{id}", 200, id=submission)).state != "received" and one, what="the lead")
    assert done.state == "processed", done
    return call("GET", "/v1/leads/{id}", 200, id=done.lead_id)


def with_role(story, ada, name, permissions):
    """A colleague with a role of the company's own, of no other rights."""
    role = by(story, ada)("POST", "/v1/roles", 201, {"name": name, "permissions": permissions})
    return ada.colleague(role.key)


def sold(story, ada, name):
    """A lead of Ada's that became a deal of 2,500.00, and both."""
    call = by(story, ada)
    lead = call("POST", "/v1/leads", 201, {
        "title": f"Racks for {name}", "client_name": name, "owner_id": ada.member_id(ada.email), "value_minor": 250_000,
        "currency": "EUR", "contact": {"name": f"Head of {name}", "email": f"head@{name.lower().replace(' ', '-')}.example"}})
    made = call("POST", "/v1/leads/{id}/convert", 200, {}, id=lead.id)
    call("POST", "/v1/activities", 201, {"kind": "note", "title": "They pay on time", "contact_ids": [str(made.contact_id)]})
    return lead, made


def day(offset):
    return (datetime.date.today() + datetime.timedelta(days=offset)).isoformat()


@pytest.fixture(scope="module")
def won(story, ada, ben, house):
    """The story itself, told once; what it left behind."""
    call = by(story, ben)

    # A stranger reads the form, forgets the address, and then sends it. Sent twice, it came in once.
    shown = by(story, None)("GET", "/v1/p/forms/{token}", 200, token=house.form.token)
    assert [field.key for field in shown.fields] == ["email", "who", "firm", "land", "wish"] and shown.challenge is None
    refused = send(story, house.form, who="Mara Lind")
    assert refused.status_code == 422 and refused.json()["errors"][0]["pointer"] == "/email", refused.text
    words = {"email": "Mara@Lind-Logistics.example", "who": "Mara Lind", "firm": "Lind Logistics", "land": "DE",
             "wish": "Forty bicycles and someone who mends them.", "utm_campaign": "spring"}
    lead = arrival(story, ada, house.form, **words)
    assert arrival(story, ada, house.form, **words).id == lead.id
    assert len(by(story, ada)("GET", "/v1/forms/{id}/submissions", 200, id=house.form.id).data) == 1

    # What it says is where it belongs, and the rule has given it to the first whose turn it is, the next one to the second.
    assert (lead.status, lead.contact_name, lead.client_name, lead.country) == ("new", "Mara Lind", "Lind Logistics", "DE")
    assert lead.contact_email.lower() == words["email"].lower() and lead.message == words["wish"]
    assert (lead.source_id, lead.rule_id) == (house.source.id, house.rule.id)
    assert str(lead.owner_id) == house.turns[0] and lead.assigned_at and lead.first_response_at is None
    second = arrival(story, ada, house.form, email="otto@second.example", who="Otto", land="CH")
    third = arrival(story, ada, house.form, email="tara@third.example", who="Tara")
    assert [str(one.owner_id) for one in (second, third)] == [house.turns[1], house.turns[0]]
    touches = call("GET", "/v1/contacts/{id}/touches", 200, id=lead.contact_id).data
    assert [(touch.campaign, touch.is_first, touch.is_last) for touch in touches] == [("spring", True, True)]

    # Its points are told one by one.
    def score(of, wanted):
        return wait_until(lambda: (one := call("GET", "/v1/leads/{id}/score", 200, id=of)).score == wanted and one,
                          what=f"a score of {wanted}")
    rated = score(lead.id, 40)
    assert rated.is_hot and {(point.rule, point.points) for point in rated.points} == {("From Germany", 10), ("Sent a form", 30)}
    assert not score(second.id, 30).is_hot

    # Ben calls back: that is the first answer, and the lead is being worked on.
    spoken = call("POST", "/v1/activities", 201, {
        "kind": "call", "direction": "out", "title": "Called back", "outcome": "Wants an offer", "duration_seconds": 420,
        "lead_ids": [str(lead.id)]})
    assert [(record.kind, record.id) for record in spoken.records] == [("lead", lead.id)]
    answered = wait_until(lambda: (one := call("GET", "/v1/leads/{id}", 200, id=lead.id)).first_response_at and one,
                          what="the first answer")
    assert answered.status == "working" and answered.first_response_at >= spoken.created_at
    score(lead.id, 45)

    qualified = call("POST", "/v1/leads/{id}/qualify", 200, id=lead.id)
    assert (qualified.status, qualified.first_response_at) == ("qualified", answered.first_response_at)
    refused = call("PUT", "/v1/leads/{id}/status", 409, {"status": "converted"}, id=lead.id)
    assert refused.code == "lead-move-not-allowed"

    # Looked at beforehand it changes nothing; done twice it is done once, whatever is chosen the second time.
    choices = {"deal": {"mode": "new", "name": "Fleet for Lind Logistics", "close_on": day(0)}}
    seen = call("POST", "/v1/leads/{id}/convert-preview", 200, choices, id=lead.id)
    assert (seen.contact.outcome, seen.contact.id) == ("linked", lead.contact_id)
    assert (seen.client.outcome, seen.client.name) == ("made", "Lind Logistics")
    assert (seen.deal.outcome, seen.deal.name) == ("made", "Fleet for Lind Logistics")
    assert call("GET", "/v1/leads/{id}", 200, id=lead.id) == qualified
    assert call("GET", "/v1/deals", 200, contact_id=[lead.contact_id]).data == []
    made = call("POST", "/v1/leads/{id}/convert", 200, choices, id=lead.id)
    assert made.contact_id == lead.contact_id and made.client_id and made.deal_id
    assert call("POST", "/v1/leads/{id}/convert", 200, choices, id=lead.id) == made
    assert call("POST", "/v1/leads/{id}/convert", 200, {"deal": {"mode": "none"}}, id=lead.id) == made
    assert call("POST", "/v1/leads/{id}/convert-preview", 409, choices, id=lead.id).code == "lead-converted"
    assert [one.id for one in call("GET", "/v1/deals", 200, contact_id=[lead.contact_id]).data] == [made.deal_id]
    converted = call("GET", "/v1/leads/{id}", 200, id=lead.id)
    assert (converted.status, converted.client_id, converted.converted_at) == ("converted", made.client_id, made.converted_at)
    client = call("GET", "/v1/clients/{id}", 200, id=made.client_id)
    assert (client.name, client.domain, str(client.owner_id)) == ("Lind Logistics", "lind-logistics.example", house.turns[0])

    # The deal is worth what its lines are.
    deal = call("GET", "/v1/deals/{id}", 200, id=made.deal_id)
    assert (deal.lead_id, deal.source_id, deal.contact_id, deal.client_id, deal.owner_id) == (
        lead.id, house.source.id, lead.contact_id, client.id, lead.owner_id)
    assert (deal.kind, deal.stage_name, deal.amount_minor) == ("open", "New", None)
    product = by(story, ada)("POST", "/v1/products", 201, {
        "sku": "MEND-DAY", "name": "A day of mending", "tax_bp": 1_900, "prices": [{"currency": "EUR", "unit_price_minor": 96_000}]})
    line = call("POST", "/v1/deals/{id}/line-items", 201, {
        "product_id": str(product.id), "quantity_thousandths": 12_500, "discount_bp": 500}, id=deal.id)
    assert (line.name, line.net_minor, line.tax_minor) == ("A day of mending", DAYS, 216_600)
    call("POST", "/v1/deals/{id}/line-items", 201, {"name": "A rack", "unit_price_minor": RACK}, id=deal.id)
    deal = call("GET", "/v1/deals/{id}", 200, id=deal.id)
    assert (deal.amount_minor, deal.currency, deal.base_minor, deal.amount_is_of_lines) == (DAYS + RACK, "EUR", DAYS + RACK, True)

    # It goes its way, and past one stage; what it is worth so far is what is likely of it.
    pipeline = call("GET", "/v1/pipelines/{id}", 200, id=deal.pipeline_id)
    stages = {stage.name: stage for stage in pipeline.stages}
    for name in ["Qualified", "Negotiation"]:
        deal = call("PUT", "/v1/deals/{id}/stage", 200, {"stage_id": str(stages[name].id)}, id=deal.id)
        assert (deal.stage_name, deal.probability_bp) == (name, stages[name].probability_bp)
    assert deal.weighted_minor == (deal.amount_minor * 7_500 + 5_000) // 10_000
    month = call("GET", "/v1/pipelines/{id}/forecast", 200, id=pipeline.id).months[0]
    assert (month.deals, month.commit_minor, month.closed_minor) == (1, deal.amount_minor, 0)
    assert month.weighted_minor == deal.weighted_minor

    deal = call("POST", "/v1/deals/{id}/win", 200, id=deal.id)
    assert (deal.kind, deal.stage_name, deal.amount_minor) == ("won", "Won", DAYS + RACK) and deal.closed_at
    assert call("POST", "/v1/deals/{id}/win", 409, id=deal.id).code == "deal-closed"
    call("POST", "/v1/deals/{id}/line-items", 409, {"name": "Too late", "unit_price_minor": 1}, id=deal.id)
    return SimpleNamespace(lead=lead, deal=deal, client=client, pipeline=pipeline)


def test_a_strangers_form_becomes_a_deal_that_is_won(story, ben, won):
    call = by(story, ben)
    stays = call("GET", "/v1/deals/{id}/history", 200, id=won.deal.id).data
    assert [stay.stage_name for stay in stays] == ["New", "Qualified", "Negotiation", "Won"]
    assert [stay.seq for stay in stays] == sorted(stay.seq for stay in stays)
    assert [stay.amount_minor for stay in stays] == [None] + [DAYS + RACK] * 3
    assert stays[0].left_at == stays[1].entered_at and stays[-1].left_at is None


def test_the_reports_tell_of_the_deal_that_was_won(story, ben, won):
    call, mine = by(story, ben), [str(won.deal.owner_id)]
    funnel = call("GET", "/v1/pipelines/{id}/funnel", 200, id=won.pipeline.id, owner=mine)
    assert (funnel.deals, funnel.won, funnel.lost, funnel.win_rate_bp, funnel.won_minor) == (1, 1, 0, 10_000, DAYS + RACK)
    # The stage it skipped counts as passed.
    assert [(step.name, step.entered, step.passed) for step in funnel.stages] == [
        (name, 1, 1) for name in ["New", "Qualified", "Proposal", "Negotiation"]]
    for path, more in [("/v1/pipelines/{id}/forecast", {"id": won.pipeline.id}), ("/v1/forecast", {})]:
        month = call("GET", path, 200, owner=mine, **more).months[0]
        assert (month.closed_minor, month.commit_minor, month.weighted_minor) == (DAYS + RACK, 0, DAYS + RACK)
    sources = call("GET", "/v1/crm/sources", 200).data
    website = next(one for one in sources if one.source_id == won.deal.source_id)
    assert (website.leads, website.converted, website.won, website.won_minor) == (3, 1, 1, DAYS + RACK)
    picture = call("GET", "/v1/pipelines/{id}/funnel.svg", 200, id=won.pipeline.id)
    assert "<svg" in picture and "<title" in picture


def test_the_contacts_timeline_tells_it_in_order(story, ben, won):
    call = by(story, ben)
    entries = call("GET", "/v1/contacts/{id}/timeline", 200, id=won.lead.contact_id).data
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
    told = [(entry.kind, entry.title) for entry in reversed(entries)]
    assert told[:2] == [("lead", won.lead.title), ("call", "Called back")]
    # The conversion and the deal it made are of one moment.
    assert set(told[2:4]) == {("conversion", won.lead.title), ("stage", "New")}
    assert told[4:] == [("stage", "Qualified"), ("stage", "Negotiation"), ("stage", "Won")]
    conversion = next(entry for entry in entries if entry.kind == "conversion")
    assert conversion.data["deal_id"] == str(won.deal.id) and conversion.member_id == won.deal.owner_id
    assert entries[0].data["amount_minor"] == DAYS + RACK and entries[0].record_id == won.deal.id

    # Page by page it is the same list.
    pages, cursor = [], None
    while cursor is not None or not pages:
        page = call("GET", "/v1/contacts/{id}/timeline", 200, id=won.lead.contact_id, limit=2, **({"cursor": cursor} if cursor else {}))
        pages.append(page.data)
        cursor = page.page.next_cursor
    assert [entry.id for page in pages for entry in page] == [entry.id for entry in entries]
    stages = call("GET", "/v1/contacts/{id}/timeline", 200, id=won.lead.contact_id, kind=[entries[0].kind]).data
    assert [entry.title for entry in stages] == ["Won", "Negotiation", "Qualified", "New"]
    # The client has it all too.
    assert {entry.id for entry in call("GET", "/v1/clients/{id}/timeline", 200, id=won.client.id).data} == {
        entry.id for entry in entries}


def test_what_the_person_writes_is_no_first_answer_of_ours(story, ada, house):
    call = by(story, ada)
    lead = call("POST", "/v1/leads", 201, {
        "title": "A bell", "owner_id": ada.member_id(ada.email), "contact": {"name": "Ute", "email": "ute@bell.example"}})
    call("POST", "/v1/activities", 201, {"kind": "email", "direction": "in", "title": "Any news?", "lead_ids": [str(lead.id)]})
    ours = call("POST", "/v1/activities", 201, {
        "kind": "email", "direction": "out", "title": "Here it is", "lead_ids": [str(lead.id)]})
    answered = wait_until(lambda: (one := call("GET", "/v1/leads/{id}", 200, id=lead.id)).first_response_at and one,
                          what="the first answer")
    assert answered.first_response_at >= ours.created_at, "the person's own letter was taken for our answer"


def test_who_may_not_see_amounts_reads_null(story, ada, house):
    lead, made = sold(story, ada, "Harbour Mill")
    deal = by(story, ada)("GET", "/v1/deals/{id}", 200, id=made.deal_id)
    assert (deal.amount_minor, deal.base_minor) == (250_000, 250_000)
    someone = with_role(story, ada, "Knows no prices", ["crm:read", "crm:read-all", "crm:write", "crm:contact-data"])
    call = by(story, someone)

    seen = call("GET", "/v1/deals/{id}", 200, id=deal.id)
    assert (seen.name, seen.stage_name) == (deal.name, deal.stage_name)
    assert (seen.amount_minor, seen.base_minor, seen.weighted_minor) == (None, None, None)
    listed = next(one for one in call("GET", "/v1/deals", 200, contact_id=[made.contact_id]).data if one.id == deal.id)
    assert (listed.amount_minor, listed.base_minor, listed.weighted_minor) == (None, None, None)
    assert call("GET", "/v1/leads/{id}", 200, id=lead.id).value_minor is None
    assert [stay.amount_minor for stay in call("GET", "/v1/deals/{id}/history", 200, id=deal.id).data] == [None]
    entries = call("GET", "/v1/contacts/{id}/timeline", 200, id=made.contact_id).data
    assert [entry.data["amount_minor"] for entry in entries if entry.kind == "stage"] == [None]
    columns = call("GET", "/v1/pipelines/{id}/board", 200, id=deal.pipeline_id).columns
    assert {(column.base_minor, column.weighted_minor) for column in columns} == {(None, None)}
    assert any(card.id == deal.id and card.amount_minor is None for column in columns for card in column.deals)
    funnel = call("GET", "/v1/pipelines/{id}/funnel", 200, id=deal.pipeline_id)
    assert funnel.deals > 0 and funnel.won_minor is None
    assert {one.won_minor for one in call("GET", "/v1/crm/sources", 200).data} <= {None}

    # Nor does asking, sorting or writing tell: the reports of money alone are not for them.
    for method, path, body, more in [
        ("GET", "/v1/deals", None, {"amountgte": 1}), ("GET", "/v1/leads", None, {"value_minorgte": 1}),
        ("GET", "/v1/forecast", None, {}), ("GET", "/v1/pipelines/{id}/forecast", None, {"id": deal.pipeline_id}),
        ("GET", "/v1/deals/{id}/line-items", None, {"id": deal.id}),
        ("POST", "/v1/deals/{id}/line-items", {"name": "A guess", "unit_price_minor": 1}, {"id": deal.id}),
        ("PATCH", "/v1/deals/{id}", {"amount_minor": 1}, {"id": deal.id, "if_match": f'"{deal.version}"'}),
        ("POST", "/v1/leads", {"contact": {"name": "X", "phone": "+49 30 1"}, "value_minor": 1, "currency": "EUR"}, {}),
    ]:
        assert call(method, path, 403, body, **more).code == "forbidden"
    someone.expect(403, "GET", "/v1/deals?sort=-amount")
    assert by(story, ada)("GET", "/v1/deals/{id}", 200, id=deal.id) == deal


def test_who_reads_only_his_own_sees_nothing_of_others(story, ada, house):
    lead, made = sold(story, ada, "Silent Works")
    carl = with_role(story, ada, "Reads his own", ["crm:read"])
    call, owner = by(story, carl), by(story, ada)
    pipeline = owner("GET", "/v1/deals/{id}", 200, id=made.deal_id).pipeline_id

    def sees(*ids):
        found = call("GET", "/v1/leads", 200).data
        assert [one.id for one in found] == list(ids)
        assert call("GET", "/v1/leads/stats", 200).total == len(ids)
        for path in ["/v1/deals", "/v1/clients", "/v1/contacts", "/v1/activities", "/v1/submissions", "/v1/duplicates"]:
            assert call("GET", path, 200).data == [], path
        assert call("GET", "/v1/pipelines/{id}/funnel", 200, id=pipeline).deals == 0
        board = call("GET", "/v1/pipelines/{id}/board", 200, id=pipeline)
        assert {(column.count, len(column.deals)) for column in board.columns} == {(0, 0)}
        assert call("GET", "/v1/forms/{id}/submissions", 200, id=house.form.id).data == []
        assert sum(one.leads for one in call("GET", "/v1/crm/sources", 200).data) == len(ids)
        assert sum(one.leads for one in call("GET", "/v1/crm/conversion", 200).months) == len(ids)

    sees()
    ids = {"leads": lead.id, "deals": made.deal_id, "contacts": made.contact_id, "clients": made.client_id}
    for table, record in ids.items():
        call("GET", f"/v1/{table}/{{id}}", 404, id=record)
        call("GET", f"/v1/{table}/{{id}}/timeline", 404, id=record)
    for path in ["/v1/leads/{id}/score", "/v1/deals/{id}/history", "/v1/contacts/{id}/touches", "/v1/contacts/{id}/deals"]:
        call("GET", path, 404, id=ids[path.split("/")[2]])
    assert call("GET", "/v1/search", 200, q="Silent Works").data == []
    assert len(owner("GET", "/v1/search", 200, q="Silent Works").data) > 0
    # Reading is all that he may.
    call("POST", "/v1/leads", 403, {"contact": {"name": "X", "email": "x@x.example"}})
    call("POST", "/v1/leads/{id}/convert", 403, {}, id=lead.id)
    call("POST", "/v1/leads/{id}/qualify", 403, id=lead.id)

    # One is given to him: he sees that one, without addresses and what it is worth, and it alone.
    given = owner("POST", "/v1/leads", 201, {
        "title": "One saddle", "value_minor": 4_900, "currency": "EUR", "owner_id": ada.member_id(carl.email),
        "contact": {"name": "Pia", "email": "pia@saddle.example"}})
    sees(given.id)
    seen = call("GET", "/v1/leads/{id}", 200, id=given.id)
    assert (seen.title, seen.contact_email, seen.value_minor) == ("One saddle", None, None)
    call("GET", "/v1/contacts/{id}", 404, id=given.contact_id)
    assert [entry.kind for entry in call("GET", "/v1/leads/{id}/timeline", 200, id=given.id).data] == ["lead"]
