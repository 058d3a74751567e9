"""A sprint from its planning to the report that never changes again, told by the generated client over HTTPS."""
import datetime

import pytest

from test_story import Story


@pytest.fixture(scope="module")
def story(server, mailbox, client_package):
    return Story(server, mailbox, client_package)


@pytest.fixture(scope="module")
def token(owner):
    return owner.http.headers["Authorization"].removeprefix("Bearer ")


def day(offset):
    return (datetime.date.today() + datetime.timedelta(days=offset)).isoformat()


def test_a_sprint_is_planned_worked_and_closed(story, token):
    def call(method, path, wanted, body=None, **parameters):
        return story.call(token, method, path, wanted, body, **parameters)

    project = call("POST", "/v1/projects", 201, {"name": "Website relaunch", "key": "WEB", "time_zone": "Europe/Berlin"})
    project = call("POST", "/v1/projects/{id}/activate", 200, id=project.id)
    assert project.status == "active"
    states = {state.category: state for state in call("GET", "/v1/projects/{id}/states", 200, id=project.id).data}

    # Planned: three tasks, ten points.
    sprint = call("POST", "/v1/projects/{id}/sprints", 201,
                  {"name": "Sprint 1", "goal": "A page one can order from", "starts_on": day(-1), "ends_on": day(12)}, id=project.id)
    tasks = [call("POST", "/v1/tasks", 201, {"project_id": str(project.id), "title": title, "points": points})
             for title, points in [("Write the copy", 2), ("Draw the hero", 3), ("Build the basket", 5)]]
    assert [task.key for task in tasks] == ["WEB-1", "WEB-2", "WEB-3"]
    moved = call("POST", "/v1/sprints/{id}/tasks", 200, {"task_ids": [str(task.id) for task in tasks]}, id=sprint.id)
    assert moved.moved == 3
    assert call("POST", "/v1/sprints/{id}/start", 200, id=sprint.id).status == "active"

    # Another sprint over the same days is refused, and said to be beforehand.
    check = call("POST", "/v1/projects/{id}/sprints/check-dates", 200, {"starts_on": day(3), "ends_on": day(9)}, id=project.id)
    assert not check.is_free and check.conflicts[0].id == sprint.id
    overlap = call("POST", "/v1/projects/{id}/sprints", 409, {"name": "Twin", "starts_on": day(3), "ends_on": day(9)}, id=project.id)
    assert overlap.status == 409

    # Two people edit one task: who comes second is told, and nothing is lost.
    first = call("GET", "/v1/tasks/{id}", 200, id=tasks[0].id)
    tag = f'"{first.version}"'
    call("PATCH", "/v1/tasks/{id}", 200, {"title": "Write the copy, twice"}, id=first.id, if_match=tag)
    call("PATCH", "/v1/tasks/{id}", 412, {"title": "Lost?"}, id=first.id, if_match=tag)
    assert call("GET", "/v1/tasks/{id}", 200, id=first.id).title == "Write the copy, twice"

    # Worked: one is done, one begun, one comes on top.
    for task, category in [(tasks[0], "completed"), (tasks[1], "started")]:
        call("PUT", "/v1/tasks/{id}/state", 200, {"state_id": str(states[category].id)}, id=task.id)
    late = call("POST", "/v1/tasks", 201, {
        "project_id": str(project.id), "title": "Fix the footer", "points": 1, "sprint_id": str(sprint.id)})
    changes = call("GET", "/v1/sprints/{id}/scope-changes", 200, id=sprint.id).data
    assert any(change.task_id == late.id and change.kind == "added" and not change.is_planning for change in changes)

    burn = call("GET", "/v1/sprints/{id}/burndown", 200, id=sprint.id)
    today = next(one for one in burn.days if one.day.isoformat() == day(0))
    assert burn.committed == 10 and today.scope == 11 and today.done == 2 and today.remaining == 9
    picture = story.package.call(story.package.client(story.server.https_url, token, story.trust), "GET",
                                 "/v1/sprints/{id}/burndown.svg", id=sprint.id)
    assert picture.status_code == 200 and picture.headers["content-type"].startswith("image/svg+xml")
    assert b"<svg" in picture.content and b"<title" in picture.content

    # Closed: what is unfinished goes to a new sprint, and the report stays as it is whatever happens later.
    closed = call("POST", "/v1/sprints/{id}/close", 200, {
        "unfinished": "new_sprint", "new_sprint": {"name": "Sprint 2", "starts_on": day(13), "ends_on": day(26)}}, id=sprint.id)
    assert closed.sprint.status == "closed"
    again = call("GET", "/v1/sprints/{id}/tasks", 200, id=closed.carried_to).data
    assert {task.key for task in again} == {"WEB-2", "WEB-3", "WEB-4"}
    before = call("GET", "/v1/sprints/{id}/report", 200, id=sprint.id)
    call("PUT", "/v1/tasks/{id}/state", 200, {"state_id": str(states["unstarted"].id)}, id=tasks[0].id)
    assert call("GET", "/v1/sprints/{id}/report", 200, id=sprint.id) == before
    assert call("GET", "/v1/projects/{id}/velocity", 200, id=project.id) is not None
