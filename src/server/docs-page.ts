/**
 * `/docs`: the AsyncAPI document as a page to read, and beside it the documents themselves. One page
 * without scripts, so that the server's own content security policy holds for it.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { z } from "zod";

const ref = z.object({ $ref: z.string() });

/** What the page shows of the document; the generator checks the whole. */
const asyncApi = z.object({
  info: z.object({ title: z.string(), version: z.string(), description: z.string() }),
  operations: z.record(
    z.string(),
    z.object({
      summary: z.string().optional(),
      messages: z.array(ref),
      reply: z.object({ messages: z.array(ref) }).optional(),
    }),
  ),
  components: z.object({
    messages: z.record(z.string(), z.object({ summary: z.string(), payload: z.unknown() })),
    schemas: z.record(z.string(), z.unknown()),
  }),
});

type AsyncApi = z.infer<typeof asyncApi>;

const documents = ["asyncapi.json", "schemas.json"] as const;

/** @param dir the folder with the generated documents */
export async function serveDocs(app: FastifyInstance, dir: string): Promise<void> {
  const texts = await Promise.all(documents.map((name) => readFile(join(dir, name), "utf8")));
  const page = docsPage(asyncApi.parse(JSON.parse(texts[0] ?? "")));
  const serve = (path: string, type: string, body: string): void => {
    app.get(path, (_request, reply) =>
      reply.type(type).header("cache-control", "no-cache").send(body),
    );
  };
  serve("/docs", "text/html; charset=utf-8", page);
  serve("/docs/style.css", "text/css; charset=utf-8", style);
  for (const [at, name] of documents.entries()) {
    serve(`/docs/${name}`, "application/json; charset=utf-8", texts[at] ?? "");
  }
}

function docsPage({ info, operations, components }: AsyncApi): string {
  const { messages, schemas } = components;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(info.title)} ${escaped(info.version)}: the protocol</title>
<link rel="icon" href="/favicon.ico" type="image/svg+xml">
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<main>
<h1>${escaped(info.title)} ${escaped(info.version)}</h1>
<p>${escaped(info.description)}</p>
<p>For programs: ${documents.map((name) => `<a href="/docs/${name}">${name}</a>`).join(", ")}.</p>
<h2>Operations</h2>
${Object.entries(operations)
  .map(
    ([name, { summary = "", messages: takes, reply }]) => `<section>
<h3 id="operation-${escaped(name)}">${escaped(name)}</h3>
<p>${escaped(summary)}</p>
<p>Takes ${takes.map(linkToMessage).join(", ")}.${
      reply === undefined ? "" : ` Answers ${reply.messages.map(linkToMessage).join(", ")}.`
    }</p>
</section>`,
  )
  .join("\n")}
<h2>Messages</h2>
${Object.entries(messages)
  .map(([name, { summary, payload }]) => folded("message", name, payload, summary))
  .join("\n")}
<h2>Schemas</h2>
${Object.entries(schemas)
  .map(([name, schema]) => folded("schema", name, schema))
  .join("\n")}
</main>
</body>
</html>
`;
}

function folded(kind: string, name: string, value: unknown, summary = ""): string {
  const text = escaped(JSON.stringify(value, null, 2)).replaceAll(
    /#\/components\/schemas\/([\w.]+)/g,
    (path, schema: string) => `<a href="#schema-${schema}">${path}</a>`,
  );
  return `<section>
<h3 id="${kind}-${escaped(name)}">${escaped(name)}</h3>
<p>${escaped(summary)}</p>
<details><summary>JSON Schema</summary><pre><code>${text}</code></pre></details>
</section>`;
}

function linkToMessage({ $ref }: { $ref: string }): string {
  const name = escaped($ref.slice($ref.lastIndexOf("/") + 1));
  return `<a href="#message-${name}">${name}</a>`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}

const style = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 50rem; margin: 0 auto; padding: 1rem; }
section { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
h3 { font-family: ui-monospace, monospace; margin-bottom: 0; }
section p { margin: 0.25rem 0; }
pre { overflow-x: auto; padding: 0.75rem; background: color-mix(in srgb, currentColor 7%, transparent); }
:target { outline: 2px solid; outline-offset: 4px; }
`;
