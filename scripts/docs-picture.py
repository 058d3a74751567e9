#!/usr/bin/env python3
"""Opens the documentation page in headless Chromium as a reader would, and takes its picture.

Logs in through "Try it out", authorises with the token, runs a call; then looks at the built-in page that is served
when the files of Swagger UI are absent. Fails on a console error, an outside request or an answer that is not there.
Pictures land in .build/pictures.
"""
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "Tests", "Clients"))

from playwright.sync_api import sync_playwright  # noqa: E402

from instance import Instance  # noqa: E402
from mailbox import Mailbox  # noqa: E402
from people import PASSWORD, Person  # noqa: E402

PICTURES = os.path.join(ROOT, ".build", "pictures")


class Watcher:
    """Notes what a page must not do."""

    def __init__(self, page, base):
        self.faults = []
        page.on("console", lambda message: message.type == "error" and not expected(message.text)
                and self.faults.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("request", lambda request: self.look(request.url, base))

    def look(self, url, base):
        if not url.startswith((base, "data:", "blob:")):
            self.faults.append(f"outside request: {url}")


def expected(text):
    # A browser reports any answer of 400 and up as an error of the console.
    return text.startswith("Failed to load resource: the server responded with a status of 40")


def swagger(page, server, email):
    page.goto(server.url + "/docs", wait_until="networkidle")
    page.wait_for_selector(".opblock", timeout=15_000)
    page.screenshot(path=os.path.join(PICTURES, "docs.png"))
    assert try_out(page, "/v1/auth/login", "post", {"email": email, "password": PASSWORD})["access_token"]
    page.screenshot(path=os.path.join(PICTURES, "docs-login.png"))
    # The page takes the token of a login by itself; the dialog shows that it has one.
    page.locator(".auth-wrapper .authorize").first.click()
    dialog = page.locator(".dialog-ux .modal-ux")
    dialog.get_by_text("Authorized").first.wait_for(timeout=15_000)
    page.screenshot(path=os.path.join(PICTURES, "docs-authorised.png"))
    dialog.locator("button.btn-done").first.click()
    me = try_out(page, "/v1/auth/me", "get")
    assert me["email"] == email, me
    page.locator(".opblock.is-open").last.scroll_into_view_if_needed()
    page.screenshot(path=os.path.join(PICTURES, "docs-me.png"))


def try_out(page, path, method, body=None):
    """Opens an operation, runs it, and returns its answer."""
    block = page.locator(f".opblock-{method}", has=page.locator(f'.opblock-summary-path[data-path="{path}"]')).first
    block.locator(".opblock-summary-control").click()
    block.locator(".try-out__btn").click()
    if body is not None:
        block.locator("textarea.body-param__text").fill(json.dumps(body))
    block.locator(".execute").click()
    answer = block.locator(".live-responses-table .response pre").first
    answer.wait_for(timeout=15_000)
    status = block.locator(".live-responses-table .response .response-col_status").first.inner_text().split()[0]
    assert status == "200", f"{method} {path} in the page gave {status}: {answer.inner_text()[:500]}"
    return json.loads(answer.inner_text().replace("\u00a0", " "))


def built_in(page, server, email):
    page.goto(server.url + "/docs", wait_until="networkidle")
    assert "Infinity" in page.title()
    page.screenshot(path=os.path.join(PICTURES, "docs-built-in.png"))
    assert "/v1/auth/login" in page.content()


def main():
    os.makedirs(PICTURES, exist_ok=True)
    mailbox = Mailbox().start()
    server = Instance(INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}")
    plain = Instance(data=server.data, INFINITY_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}", INFINITY_DOCS_DIR="/nonexistent")
    faults = []
    try:
        server.start()
        person = Person(server, mailbox).sign_up(company="Reader")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            for target, look in ((server, swagger), (plain, built_in)):
                if target is plain:
                    server.stop()
                    plain.start()
                page = browser.new_page(viewport={"width": 1280, "height": 1100})
                watcher = Watcher(page, target.url)
                look(page, target, person.email)
                faults += watcher.faults
                page.close()
            browser.close()
    finally:
        plain.remove()
        server.remove()
        mailbox.stop()
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"docs: pictures in {os.path.relpath(PICTURES, ROOT)}, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
