import API
import Core
import Wire

/// The pages that mails lead to, for when no other web client stands before the API.
///
/// Opening one changes nothing: mail scanners open links. The button does, and the secret stays behind `#`, where
/// neither servers nor logs see it.
enum AccountPages {
    enum Page: String, Codable, CaseIterable, Sendable {
        case verifyEmail = "verify-email"
        case resetPassword = "reset-password"
        case confirmEmailChange = "confirm-email-change"
        case notMe = "not-me"
        case magicLink = "magic-link"
        case callback
        case login
        case sessions
        case apiKeys = "api-keys"
    }

    @RouteList static var routes: [Route] {
        GET("/account/{page}", "A page that a mail or a provider leads to", .open, show).operation(
            "showAccountPage"
        ).anyQuery
        GET("/account/assets/page.js", "The script of the account pages", .open, script).operation(
            "getAccountScript")
        GET("/account/assets/page.css", "The style of the account pages", .open, style).operation(
            "getAccountStyle")
    }

    static func show(_ call: Call, _ page: Path<Page>) async throws -> HTMLText {
        HTMLText(WebPage.html(body, assets: "/account/assets"))
    }
    static func script(_ call: Call) async throws -> ScriptText { ScriptText(javaScript) }
    static func style(_ call: Call) async throws -> StyleText { StyleText(WebPage.css) }

    private static let body = """
        <form id="form" hidden>
        <label id="label" hidden>New password
        <input id="password" type="password" autocomplete="new-password" minlength="10" maxlength="200"></label>
        <label id="code-label" hidden>Code of your authenticator app
        <input id="code" autocomplete="one-time-code" inputmode="numeric" maxlength="40"></label>
        <button id="button"></button>
        </form>
        """

    private static let javaScript = """
        "use strict";
        const pages = {
          "verify-email": ["Confirm your address", "Press the button to confirm that this address is yours.",
            "Confirm address", "/v1/auth/email-verification/confirm", "Your address is confirmed. You can sign in now."],
          "reset-password": ["Choose a new password", "All your sessions end when the password changes.",
            "Set password", "/v1/auth/password-reset/confirm", "Your password is set. You can sign in now."],
          "confirm-email-change": ["Confirm your new address", "Press the button to use this address from now on.",
            "Confirm new address", "/v1/auth/email-change/confirm", "Your new address is confirmed."],
          "magic-link": ["Sign in", "Press the button to sign in.", "Sign in", "/v1/auth/browser/magic-link/confirm",
            "You are signed in."],
          "not-me": ["This was not you?", "Press the button to end all sessions and lock the account until a new " +
            "password is set. A mail with a link for it follows.", "This was not me", "/v1/auth/not-me",
            "All sessions have ended and the account is locked. Look into your mail."],
        };
        const element = (id) => document.getElementById(id);
        const name = location.pathname.split("/").pop();
        const token = new URLSearchParams(location.hash.slice(1)).get("token");
        const page = pages[name];
        const wantsPassword = name === "reset-password";
        let secondStep = null;
        const request = () => secondStep
          ? ["/v1/auth/browser/login/mfa", { mfa_token: secondStep, code: element("code").value }]
          : [page[3], wantsPassword ? { token, password: element("password").value } : { token }];
        // Back from a provider: what it sent is handed on by POST, so that opening the address does nothing by itself.
        const finish = async () => {
          const query = new URLSearchParams(location.search);
          history.replaceState(null, "", location.pathname);
          element("title").textContent = document.title = "Sign in";
          element("text").textContent = "";
          if (!query.get("code") || !query.get("state")) {
            element("outcome").textContent = "The provider has not let you in. Begin again.";
            return;
          }
          const body = { state: query.get("state"), code: query.get("code") };
          if (query.get("iss")) body.iss = query.get("iss");
          const isLink = body.state.startsWith("link-");
          const headers = { "Content-Type": "application/json" };
          if (isLink) {
            const csrf = await fetch("/v1/auth/csrf");
            if (csrf.ok) headers["X-CSRF-Token"] = (await csrf.json()).csrf_token;
          }
          const answer = await fetch(isLink ? "/v1/auth/identities/completion" : "/v1/auth/browser/oauth/completion", {
            method: "POST", headers, body: JSON.stringify(body),
          });
          const said = await answer.json();
          if (answer.ok) {
            element("outcome").textContent = isLink ? "The identity is linked." : "You are signed in.";
          } else if (said.mfa_token) {
            secondStep = said.mfa_token;
            element("button").textContent = "Sign in";
            element("code-label").hidden = false;
            element("code").required = true;
            element("form").hidden = false;
            listen("You are signed in.");
          } else {
            element("outcome").textContent = said.detail || said.title;
          }
        };
        if (page && token) {
          const [title, text, label, , done] = page;
          element("title").textContent = document.title = title;
          element("text").textContent = text;
          element("button").textContent = label;
          element("label").hidden = !wantsPassword;
          element("password").required = wantsPassword;
          element("form").hidden = false;
          listen(done);
        } else if (name === "callback") {
          finish().catch(() => { element("outcome").textContent = "The server cannot be reached. Try again."; });
        } else if (page) {
          element("text").textContent = "The link is not whole. Open it from the mail once more.";
        } else {
          element("text").textContent = "Open the app you use Infinity with. The API behind it is described at /docs.";
        }
        function listen(done) {
          element("form").addEventListener("submit", async (event) => {
            event.preventDefault();
            element("button").disabled = true;
            const [path, body] = request();
            try {
              const answer = await fetch(path, {
                method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
              });
              if (answer.ok) {
                element("form").hidden = true;
                element("outcome").textContent = done;
                history.replaceState(null, "", location.pathname);
                return;
              }
              const problem = await answer.json();
              if (problem.mfa_token) {
                secondStep = problem.mfa_token;
                element("code-label").hidden = false;
                element("code").required = true;
              }
              element("outcome").textContent = (problem.errors || []).map((fault) => fault.detail).join(" ")
                || problem.detail || problem.title;
            } catch {
              element("outcome").textContent = "The server cannot be reached. Try again.";
            }
            element("button").disabled = false;
          });
        }

        """
}
