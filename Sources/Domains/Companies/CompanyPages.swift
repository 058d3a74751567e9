import API
import Core
import Wire

/// The pages that mails of companies lead to: accepting an invitation, joining by a link, confirming a new owner.
/// All else belongs to the client that stands before the API.
enum CompanyPages {
    enum Page: String, Codable, CaseIterable, Sendable {
        case invitation
        case join
        case ownership
        case home
        case members
        case invitations
        case joinRequests = "join-requests"
    }

    @RouteList static var routes: [Route] {
        GET("/company/{page}", "A page that a mail leads to", .open, show).operation("showCompanyPage")
        GET("/company/assets/page.js", "The script of the company pages", .open, script)
            .operation("getCompanyScript")
        GET("/company/assets/page.css", "The style of the company pages", .open, style)
            .operation("getCompanyStyle")
    }

    static func show(_ call: Call, _ page: Path<Page>) async throws -> HTMLText {
        HTMLText(WebPage.html(body, assets: "/company/assets"))
    }

    static func script(_ call: Call) async throws -> ScriptText { ScriptText(javaScript) }
    static func style(_ call: Call) async throws -> StyleText { StyleText(WebPage.css) }

    private static let body = """
        <form id="form" hidden>
        <label id="name-label" hidden>Your name
        <input id="name" autocomplete="name" maxlength="120"></label>
        <label>E-mail
        <input id="email" type="email" autocomplete="username" required></label>
        <label>Password
        <input id="password" type="password" minlength="10" maxlength="200" required></label>
        <button id="button"></button>
        <button id="decline" type="button" class="quiet" hidden>Decline</button>
        </form>
        """

    private static let javaScript = """
        "use strict";
        const element = (id) => document.getElementById(id);
        const name = location.pathname.split("/").pop();
        const token = location.hash.slice(1);

        const say = (title, text) => {
          if (title) element("title").textContent = document.title = title;
          element("text").textContent = text;
        };

        async function ask(path, body, bearer) {
          const headers = { "Content-Type": "application/json" };
          if (bearer) headers.Authorization = "Bearer " + bearer;
          const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
          const json = answer.status === 204 ? {} : await answer.json();
          if (answer.ok) return json;
          const faults = (json.errors || []).map((fault) => fault.detail).join(" ");
          throw new Error(faults || json.detail || json.title);
        }

        async function logIn() {
          const answer = await ask("/v1/auth/login",
            { email: element("email").value, password: element("password").value });
          if (!answer.access_token) throw new Error("This account asks for a second step: use the app to sign in.");
          return answer.access_token;
        }

        // The company stands in the token, before the dot, as base64url.
        function companyOf(token) {
          const text = token.split("_").slice(1).join("_").split(".")[0].replace(/-/g, "+").replace(/_/g, "/");
          const hex = Array.from(atob(text), (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
          return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
        }

        function offer(label, work, done) {
          element("button").textContent = label;
          element("form").hidden = false;
          element("form").addEventListener("submit", async (event) => {
            event.preventDefault();
            element("button").disabled = true;
            element("outcome").textContent = "";
            try {
              const outcome = await work();
              finish(typeof outcome === "string" ? outcome : done);
            } catch (error) {
              element("outcome").textContent = error.message || "The server cannot be reached. Try again.";
            }
            element("button").disabled = false;
          });
        }

        function finish(text) {
          element("form").hidden = true;
          element("outcome").textContent = text;
          history.replaceState(null, "", location.pathname);
        }

        async function invitation() {
          const seen = await ask("/v1/invitations/preview", { token });
          const roles = seen.roles.map((role) => role.name).join(", ");
          if (seen.state !== "pending") return say("Invitation", "This invitation is " + seen.state + ".");
          say("Join " + seen.company_name, (seen.inviter_name || "Somebody") + " invites you to work in " +
            seen.company_name + " as " + roles + "." + (seen.message ? " “" + seen.message + "”" : ""));
          element("email").value = seen.email;
          element("email").readOnly = true;
          element("decline").hidden = false;
          element("decline").addEventListener("click", async () => {
            try {
              await ask("/v1/invitations/refusal", { token });
              finish("You have declined.");
            } catch (error) { element("outcome").textContent = error.message; }
          });
          if (seen.has_account) {
            element("password").autocomplete = "current-password";
            offer("Sign in and accept", async () => ask("/v1/invitations/acceptance", { token }, await logIn()),
              "You are now a member of " + seen.company_name + ".");
          } else {
            element("name-label").hidden = false;
            element("name").required = true;
            element("password").autocomplete = "new-password";
            offer("Sign up and accept", () => ask("/v1/auth/signup", {
              email: seen.email, name: element("name").value, password: element("password").value,
              invitation_token: token,
            }), "You are now a member of " + seen.company_name + ". You can sign in now.");
          }
        }

        function join() {
          say("Join a company", "Sign in to join the company that this link belongs to.");
          offer("Sign in and join", async () => {
            const joined = await ask("/v1/join-links/use", { token }, await logIn());
            return joined.outcome === "joined" ? "You are in." : "Your request waits for somebody to decide.";
          });
        }

        function ownership() {
          say("Hand the company over", "Sign in to confirm that the company gets its new owner. You stay on as an " +
            "administrator.");
          offer("Sign in and confirm", async () => {
            const inside = await ask("/v1/auth/company", { company_id: companyOf(token) }, await logIn());
            await ask("/v1/company/ownership-transfer/confirmation", { token }, inside.access_token);
          }, "The company has its new owner.");
        }

        const pages = { invitation, join, ownership };
        if (!pages[name]) {
          say(null, "Open the app you use Infinity with. The API behind it is described at /docs.");
        } else if (!token) {
          say(null, "The link is not whole. Open it from the mail once more.");
        } else {
          Promise.resolve().then(pages[name]).catch((error) => say(null, error.message));
        }

        """
}
