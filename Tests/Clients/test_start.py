"""Starting: how long it takes, and what it says when it cannot."""
import os
import socket

import pytest

from instance import Instance, free_port


def said(result):
    """What was said to a person: all but the log."""
    return "\n".join(line for line in result.stderr.strip().splitlines() if not line.startswith("{"))


def test_a_fresh_start_takes_seconds_and_a_warm_one_hardly_any():
    instance = Instance()
    try:
        cold = instance.start()
        assert instance.stop() == 0
        warm = instance.start()
        print(f"\ncold start {cold * 1e3:.0f} ms, warm start {warm * 1e3:.0f} ms")
        assert cold < 30 and warm < 5
    finally:
        instance.remove()


def test_a_taken_port_is_one_sentence(cluster):
    instance = Instance(DATABASE_URL=cluster.create("taken"))
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", instance.http_port))
        holder.listen()
        result = instance.command("serve")
    assert result.returncode != 0
    assert str(instance.http_port) in said(result) and len(said(result).splitlines()) == 1, result.stderr
    instance.remove()


@pytest.mark.parametrize("settings, wanted", [
    ({"INFINITY_HTP_PORT": "1"}, "INFINITY_HTTP_PORT"),
    ({"INFINITY_HTTP_PORT": "eighty"}, "INFINITY_HTTP_PORT"),
    ({"INFINITY_PG_BIN": "/nowhere"}, "/nowhere"),
])
def test_a_wrong_setting_stops_the_start_with_its_name(settings, wanted):
    instance = Instance(**settings)
    result = instance.command("serve")
    assert result.returncode != 0 and wanted in result.stderr, result.stderr
    instance.remove()


def test_no_database_is_one_sentence_with_the_address():
    port = free_port()
    instance = Instance(DATABASE_URL=f"postgresql://infinity@127.0.0.1:{port}/nothing")
    result = instance.command("migrate")
    assert result.returncode != 0
    assert str(port) in said(result) and len(said(result).splitlines()) <= 2, result.stderr
    instance.remove()


def test_doctor_shows_each_setting_and_no_secret(cluster):
    secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I="
    instance = Instance(DATABASE_URL=cluster.create("doctor"), INFINITY_PASSWORD_PEPPER=secret)
    result = instance.command("doctor")
    assert "INFINITY_HTTP_PORT" in result.stdout and str(instance.http_port) in result.stdout
    assert secret not in result.stdout + result.stderr
    instance.remove()


def test_an_old_database_is_refused_without_leave_to_migrate(cluster):
    instance = Instance(DATABASE_URL=cluster.create("old"))
    result = instance.command("serve", "--no-migrate")
    assert result.returncode != 0 and "migrate" in result.stderr, result.stderr
    assert instance.command("migrate").returncode == 0
    status = instance.command("migrate", "--status")
    assert status.returncode == 0 and "0001" in status.stdout
    instance.remove()


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_one_sentence():
    instance = Instance(data="/proc/infinity")
    result = instance.command("serve")
    assert result.returncode != 0 and "/proc/infinity" in result.stderr
    instance.remove()
