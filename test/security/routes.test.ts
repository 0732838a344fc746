/**
 * Every route of the server, to everybody: which are open, which want the operator, and that none of
 * them tells anybody else of a conversation. The routes are read off Fastify itself.
 */
import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSetting, operatorTokens, type Place, type Setting } from "./matrix/places.ts";
import { knownCallers, type PlaceKind, placeKinds } from "./matrix/rows.ts";
import { sharedSecretToken } from "./tokens.ts";

let setting: Setting;
beforeAll(async () => {
  setting = await openSetting();
});
afterAll(() => setting[Symbol.asyncDispose]());

interface Route {
  /** Whom it answers: anybody, or whoever brings that token of the operator's. */
  readonly for: "anybody" | keyof typeof operatorTokens;
  readonly url?: (place: Place) => string;
  readonly payload?: object;
  /** Is part of what it answers. */
  readonly shows: (place: Place) => string;
  /** Whether it tells a caller who they are. */
  readonly namesCaller?: true;
  /** Where it answers: everywhere, unless it is about a conversation or a run in progress. */
  readonly in?: readonly PlaceKind[];
  /** What it answers elsewhere: default NOT_FOUND, or else as it would of somebody who has nothing. */
  readonly elsewhere?: "empty";
}

const all = ({ secret }: Place) => secret;
const inProgress = ["shared", "unshared"] as const;
const routes: Readonly<Record<string, Route>> = {
  "GET /": { for: "anybody", shows: () => "<title>Chat" },
  "GET /index.html": { for: "anybody", shows: () => "<title>Chat" },
  "GET /healthz": { for: "anybody", shows: () => "ok" },
  "GET /readyz": { for: "anybody", shows: () => "ready" },
  "GET /favicon.ico": { for: "anybody", shows: () => "<svg" },
  "GET /docs": { for: "anybody", shows: () => "chat.send" },
  "GET /docs/style.css": { for: "anybody", shows: () => "section" },
  "GET /docs/asyncapi.json": { for: "anybody", shows: () => "asyncapi" },
  "GET /docs/schemas.json": { for: "anybody", shows: () => "runEnd" },
  "GET /metrics": { for: "metrics", shows: () => "process_cpu" },
  "GET /admin/runs": {
    for: "admin",
    shows: ({ running }) => running,
    in: inProgress,
  },
  "GET /admin/runs/:runId": {
    for: "admin",
    url: ({ running }) => `/admin/runs/${running}`,
    shows: all,
    in: inProgress,
  },
  "POST /admin/runs/:runId/cancel": {
    for: "admin",
    url: ({ running }) => `/admin/runs/${running}/cancel`,
    shows: () => "cancelled",
    in: inProgress,
  },
  "GET /admin/runs/:runId/events": {
    for: "admin",
    url: ({ running }) => `/admin/runs/${running}/events`,
    shows: all,
    in: inProgress,
  },
  "GET /admin/conversations/:conversationId": {
    for: "admin",
    url: ({ conversationId }) => `/admin/conversations/${conversationId}`,
    shows: all,
    in: inProgress,
  },
  "GET /admin/users/:userId": {
    for: "admin",
    url: ({ users }) => `/admin/users/${users.owner}`,
    shows: all,
    in: inProgress,
    elsewhere: "empty",
  },
  "POST /admin/users/:userId/delete": {
    for: "admin",
    url: ({ users }) => `/admin/users/${users.owner}/delete`,
    shows: ({ conversationId }) => conversationId,
    in: inProgress,
    elsewhere: "empty",
  },
  "GET /session": { for: "anybody", shows: () => "{", namesCaller: true },
  "GET /admin/backup": { for: "admin", shows: () => "SQLite format 3" },
  "POST /admin/prune": {
    for: "admin",
    // What is a day old, of which there is nothing here.
    payload: { olderThanMs: 86_400_000, dryRun: false },
    shows: () => "",
  },
};

/** The procedures' own matrix is of what lies below; a socket opens at the first. */
const api = ["GET /trpc", "GET /trpc/:path", "POST /trpc/:path"];
/** `@fastify/cors` answers what a browser asks before it asks. */
const preflights = ["OPTIONS *"];
/** The gate refuses the others of those that the API's route takes, whoever asks. */
const refusedMethods = ["TRACE", "DELETE", "PATCH", "PUT", "QUERY"];

test("every route has a row", () => {
  const served = [...routesIn(setting.app.printRoutes({ commonPrefix: false }))].filter(
    (route) => !refusedMethods.includes(route.split(" ")[0] ?? ""),
  );
  // A HEAD is the GET without its body.
  const own = served.filter((route) => !/^(HEAD|OPTIONS \/trpc)/.test(route));
  expect(own.sort()).toEqual([...Object.keys(routes), ...api, ...preflights].sort());
});

test("the program adds no other routes than these", async () => {
  const folder = new URL("../../src/serve/", import.meta.url);
  const names = (await readdir(folder, { recursive: true }))
    .filter((name) => name.endsWith(".ts"))
    .sort();
  const files = await Promise.all(names.map((name) => readFile(new URL(name, folder), "utf8")));
  // The address that it listens at is no route.
  const text = files.join("").replaceAll("pageUrl(server.app.server,", "");
  const adding = [...text.matchAll(/(\w+)\(server\.app,|server\.app\.(\w+)/g)];
  expect(adding.map(([, adds, does]) => adds ?? does)).toEqual([
    "metricsRoute",
    "serveDocs",
    "serveFavicon",
    "adminRoutes",
  ]);
});

/** `└── trpc (GET, HEAD)`, four columns a level, each the rest of what is above it. */
function* routesIn(tree: string): Generator<string> {
  const above: string[] = [];
  for (const line of tree.split("\n")) {
    const [, indent, part, methods] = /^([│ ]*)[├└]── (\S+) \(([^)]+)\)$/.exec(line) ?? [];
    if (indent === undefined || part === undefined || methods === undefined) continue;
    above.length = indent.length / 4;
    const path = (above.at(-1) ?? "") + part;
    above.push(path);
    for (const method of methods.split(", ")) yield `${method} ${path}`;
  }
}

/** Wrong tokens are counted by address, and each question here is one of its own. */
let lastAddress = 0;

async function ask(name: string, place: Place, token: string | undefined, head = false) {
  const [method = "", path = ""] = name.split(" ");
  const { url = () => path, payload } = routes[name] ?? {};
  lastAddress += 1;
  const asking = setting.app.inject({
    method: head ? "HEAD" : (method as "GET" | "POST"),
    url: url(place),
    headers: {
      host: "127.0.0.1",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    remoteAddress: `10.0.${lastAddress >> 8}.${lastAddress & 255}`,
    ...(payload && { payload }),
  });
  return await asking;
}

describe.each(Object.entries(routes))("%s", (name, route) => {
  test.each(placeKinds)("about what is %s", async (kind) => {
    await using place = await setting.place(kind);
    const before = await place.state();
    const callers: [string, string | undefined][] = [["anonymous", undefined]];
    for (const caller of knownCallers) {
      callers.push([caller, await sharedSecretToken(place.users[caller])]);
    }
    const expired = await sharedSecretToken(place.users.owner, { expiresInS: -60 });
    callers.push(["expired", expired]);
    for (const [operator, token] of Object.entries(operatorTokens)) {
      if (operator !== route.for) callers.push([`operator's token for ${operator}`, token]);
    }
    for (const [caller, token] of callers) {
      const { statusCode, body } = await ask(name, place, token);
      if (route.for === "anybody") {
        expect([caller, statusCode]).toEqual([caller, 200]);
        expect(body).toContain(route.shows(place));
      } else {
        expect([caller, statusCode]).toEqual([caller, 401]);
        expect(body === "" || JSON.parse(body).error.json.data.langwire.code).toBe(
          name === "GET /metrics" ? true : "UNAUTHORIZED",
        );
        if (name.startsWith("GET")) {
          const head = await ask(name, place, token, true);
          expect([caller, head.statusCode, head.body]).toEqual([caller, 401, ""]);
        }
      }
      const others = Object.entries(place.users).flatMap(([who, userId]) =>
        route.namesCaller === true && who === caller ? [] : [userId],
      );
      for (const part of [place.secret, place.title, ...others]) {
        expect([caller, body]).toEqual([caller, expect.not.stringContaining(part)]);
      }
    }
    expect(await place.state()).toEqual(before);
    if (route.for !== "anybody") await expectOperators(name, route, place);
  });
});

/** The operator is told what there is, and NOT_FOUND of what there is not. */
async function expectOperators(name: string, route: Route, place: Place): Promise<void> {
  if (route.for === "anybody") return;
  const answering = ask(name, place, operatorTokens[route.for]);
  if (name.endsWith("/events")) place.letGo();
  const { statusCode, body } = await answering;
  const isThere = route.in === undefined || route.in.some((kind) => kind === place.kind);
  const isAnswered = isThere || route.url === undefined || route.elsewhere === "empty";
  if (isAnswered) expect(statusCode).toBe(200);
  else expect(JSON.parse(body).error.json.data.langwire.code).toBe("NOT_FOUND");
  if (isThere) expect(body).toContain(route.shows(place));
  else {
    for (const part of [place.secret, place.title]) expect(body).not.toContain(part);
  }
}
