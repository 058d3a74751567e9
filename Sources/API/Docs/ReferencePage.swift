/// The built-in /docs, for when Swagger UI's files are absent: search, authorise, read, try.
enum ReferencePage {
    static var documents: [(path: String, document: Document)] {
        [
            ("/docs", Document(html: page)),
            ("/docs/reference.css", Document(Array(style.utf8), "text/css; charset=utf-8")),
            ("/docs/reference.js", Document(Array(script.utf8), "text/javascript; charset=utf-8")),
        ]
    }

    private static let page = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Infinity API</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="/docs/reference.css">
        </head>
        <body>
        <header>
        <h1>Infinity API</h1>
        <input id="search" type="search" placeholder="Search paths and summaries" autocomplete="off" aria-label="Search">
        <form id="authorise"><input id="token" placeholder="Access token or API key" autocomplete="off" aria-label="Token">
        <button>Authorise</button></form>
        <p><a href="/openapi.yaml">openapi.yaml</a> <a href="/openapi.json">openapi.json</a> <a href="/docs/errors">errors</a></p>
        </header>
        <main id="operations"></main>
        <noscript>This page needs JavaScript; the contract itself is at <a href="/openapi.yaml">/openapi.yaml</a>.</noscript>
        <script src="/docs/reference.js"></script>
        </body>
        </html>

        """

    private static let style = """
        :root { color-scheme: light dark; --line: #8884; --soft: #8881; }
        body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 0 1rem 4rem; }
        header { position: sticky; top: 0; background: Canvas; padding: .5rem 0; border-bottom: 1px solid var(--line);
          display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; }
        h1 { font-size: 1.2rem; margin: 0; }
        header p { margin: 0; }
        #search { flex: 1; min-width: 12rem; }
        input, textarea, button, select { font: inherit; padding: .3rem .5rem; border: 1px solid var(--line); border-radius: 4px; }
        textarea { width: 100%; box-sizing: border-box; font-family: ui-monospace, monospace; font-size: 13px; }
        details { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; }
        details > div { padding: 0 .8rem .8rem; }
        summary { padding: .4rem .8rem; cursor: pointer; }
        summary code { font-weight: 600; }
        .method { display: inline-block; width: 4.2rem; font: 700 12px ui-monospace, monospace; }
        .GET { color: #2f6fed; } .POST { color: #1a8f4c; } .PATCH, .PUT { color: #b7791f; } .DELETE { color: #c53030; }
        pre { background: var(--soft); padding: .6rem; border-radius: 4px; overflow: auto; max-height: 30rem; white-space: pre-wrap; }
        table { border-collapse: collapse; width: 100%; } td { padding: .15rem .5rem .15rem 0; vertical-align: top; }
        .note { opacity: .8; white-space: pre-line; }

        """

    private static let script = #"""
        "use strict";
        const kept = sessionStorage;
        const byId = (id) => document.getElementById(id);
        const make = (tag, text, ...children) => {
          const node = document.createElement(tag);
          if (text) node.textContent = text;
          node.append(...children);
          return node;
        };
        let contract;

        const resolve = (node) => {
          while (node && node.$ref) node = node.$ref.slice(2).split("/").reduce((at, step) => at[step], contract);
          return node;
        };

        // Text with `code` in it.
        const prose = (tag, text) => {
          const node = make(tag);
          node.className = "note";
          text.split("`").forEach((part, index) => node.append(index % 2 ? make("code", part) : part));
          return node;
        };

        function operationView(method, path, operation) {
          const view = make("details");
          view.id = operation.operationId;
          view.dataset.text = `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase();
          const badge = make("span", method.toUpperCase());
          badge.className = `method ${method.toUpperCase()}`;
          view.append(make("summary", "", badge, make("code", path), ` ${operation.summary}`));
          view.addEventListener("toggle", () => { if (view.open && view.children.length === 1) view.append(body(method, path, operation)); });
          return view;
        }

        function body(method, path, operation) {
          const box = make("div");
          box.append(prose("p", operation.description));
          const fields = [];
          const table = make("table");
          for (const parameter of (operation.parameters || []).map(resolve)) {
            const input = make("input");
            input.placeholder = (parameter.schema.examples || [parameter.schema.format || ""])[0];
            input.setAttribute("aria-label", parameter.name);
            fields.push({ parameter, input });
            table.append(make("tr", "", make("td", parameter.name + (parameter.required ? " *" : "")), make("td", "", input),
              make("td", parameter.description || "")));
          }
          if (fields.length) box.append(table);
          let text;
          const content = operation.requestBody && operation.requestBody.content["application/json"];
          if (content) {
            text = make("textarea", JSON.stringify(content.example, null, 2));
            text.rows = 8;
            text.setAttribute("aria-label", "Body");
            box.append(text);
          }
          const answer = make("pre");
          answer.hidden = true;
          const button = make("button", "Send");
          button.addEventListener("click", () => send(method, path, fields, text, answer));
          box.append(button, answer);
          const list = make("ul");
          for (const [status, response] of Object.entries(operation.responses)) {
            list.append(prose("li", `${status} ${resolve(response).description}`));
          }
          box.append(list);
          return box;
        }

        async function send(method, path, fields, text, answer) {
          const query = new URLSearchParams();
          const headers = {};
          for (const { parameter, input } of fields) {
            if (!input.value) continue;
            if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
            if (parameter.in === "query") query.set(parameter.name, input.value);
            if (parameter.in === "header") headers[parameter.name] = input.value;
          }
          if (kept.token) headers.Authorization = `Bearer ${kept.token}`;
          if (text) headers["Content-Type"] = "application/json";
          answer.hidden = false;
          answer.textContent = "…";
          try {
            const url = path + (query.size ? `?${query}` : "");
            const response = await fetch(url, { method: method.toUpperCase(), headers, body: text ? text.value : undefined });
            const raw = await response.text();
            let shown = raw;
            try {
              const json = JSON.parse(raw);
              shown = JSON.stringify(json, null, 2);
              if (json.access_token) authorise(json.access_token);
            } catch (error) { /* shown as it came */ }
            answer.textContent = `${response.status} ${response.statusText}\n\n${shown}`;
          } catch (error) {
            answer.textContent = String(error);
          }
        }

        function authorise(token) {
          kept.token = token;
          byId("token").value = token;
        }

        async function start() {
          contract = await (await fetch("/openapi.json")).json();
          const main = byId("operations");
          for (const tag of contract.tags) {
            const section = make("section", "", make("h2", tag.name), make("p", tag.description));
            for (const [path, item] of Object.entries(contract.paths)) {
              for (const [method, operation] of Object.entries(item)) {
                if (operation.tags.includes(tag.name)) section.append(operationView(method, path, operation));
              }
            }
            main.append(section);
          }
          byId("search").addEventListener("input", (event) => {
            const wanted = event.target.value.toLowerCase().split(/\s+/);
            for (const view of document.querySelectorAll("details")) {
              view.hidden = !wanted.every((word) => view.dataset.text.includes(word));
            }
            for (const section of document.querySelectorAll("section")) {
              section.hidden = !section.querySelector("details:not([hidden])");
            }
          });
          byId("authorise").addEventListener("submit", (event) => {
            event.preventDefault();
            kept.token = byId("token").value.trim();
          });
          byId("token").value = kept.token || "";
          if (location.hash) { const view = byId(location.hash.slice(1)); if (view) { view.open = true; view.scrollIntoView(); } }
        }

        start();

        """#
}
