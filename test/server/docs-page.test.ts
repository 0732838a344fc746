/** `/docs`: whole, without a link that leads nowhere, and within the content security policy. */
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import asyncApi from "../../client/generated/asyncapi.json" with { type: "json" };
import schemas from "../../client/generated/schemas.json" with { type: "json" };
import { openLangwire } from "../../src/index.ts";
import { createServer } from "../../src/server/app.ts";
import { serveDocs } from "../../src/server/docs-page.ts";
import { serveFavicon } from "../../src/server/favicon.ts";

const generated = fileURLToPath(new URL("../../client/generated", import.meta.url));
const icon = fileURLToPath(new URL("../../client/page/icon.svg", import.meta.url));

async function start() {
  const langwire = await openLangwire({ bots: [] });
  const { app, close } = await createServer({ langwire });
  await serveDocs(app, generated);
  await serveFavicon(app, icon);
  onTestFinished(async () => {
    await close(0);
    await langwire[Symbol.asyncDispose]();
  });
  return (url: string) => app.inject({ url, headers: { host: "127.0.0.1" } });
}

test("the page names every operation and message, and its links lead somewhere", async () => {
  const get = await start();
  const { statusCode, headers, body } = await get("/docs");
  expect(statusCode).toBe(200);
  expect(headers["content-type"]).toContain("text/html");
  for (const name of Object.keys(asyncApi.operations))
    expect(body).toContain(`id="operation-${name}"`);
  for (const name of Object.keys(asyncApi.components.messages)) {
    expect(body).toContain(`id="message-${name}"`);
  }
  const ids = new Set([...body.matchAll(/id="([^"]+)"/g)].map(([, id]) => id));
  const links = [...body.matchAll(/href="([^"]+)"/g)].map(([, link = ""]) => link);
  for (const link of new Set(links)) {
    if (link.startsWith("#")) expect(ids, link).toContain(link.slice(1));
    else expect((await get(link)).statusCode, link).toBe(200);
  }
});

test("it needs neither a script nor a style of its own", async () => {
  const get = await start();
  const { headers, body } = await get("/docs");
  expect(headers["content-security-policy"]).toContain("default-src 'self'");
  expect(body).not.toMatch(/<script|<style| style=| on\w+=/);
});

test("a browser is given an icon, for the page and for a document by itself", async () => {
  const get = await start();
  expect((await get("/docs")).body).toContain('<link rel="icon" href="/favicon.ico"');
  const { statusCode, headers, body } = await get("/favicon.ico");
  expect([statusCode, headers["content-type"]]).toEqual([200, "image/svg+xml"]);
  expect(body).toContain("<svg");
});

test("beside it are the documents as they were generated", async () => {
  const get = await start();
  expect((await get("/docs/asyncapi.json")).json()).toEqual(asyncApi);
  expect((await get("/docs/schemas.json")).json()).toEqual(schemas);
});
