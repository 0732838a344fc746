/** Secrets of the environment, and how a log line hides them however they are spelled. */
import { format } from "node:util";
import { describe, expect, test } from "vitest";
import { createLogger } from "../../src/server/logging/logger.ts";
import { isSecret, secretsIn } from "../../src/server/logging/secrets.ts";

describe("which values are secrets", () => {
  test.each<[Record<string, string>, readonly string[]]>([
    [{ OPENAI_API_KEY: "sk-0123456789 " }, ["sk-0123456789 "]],
    [{ PGPASSWORD: "hunter22", PATH: "/usr/bin:/bin", HOME: "/home/a@b" }, ["hunter22"]],
    [{ DATABASE_URL: "postgres://user:p%40ssw0rd@host/db" }, ["p%40ssw0rd"]],
    [{ DATABASE_URL: "postgres://user:p#ss/w0rd@host/db" }, ["p#ss/w0rd"]],
    [{ DATABASE_URL: "postgres://user:p ss@w0rd@host/db" }, ["p ss", "p ss@w0rd"]],
    [{ DATABASE_URL: "postgres://user:secret42@h1:1,h2:2/db" }, ["secret42"]],
    [{ DATABASE_URL: "postgres://host/db?user=a&password=hunter22" }, ["hunter22"]],
    [{ HTTPS_PROXY: "http://user:100%@proxy:3128" }, ["100%"]],
    [{ REDIS_URL: "redis://:hunter22@host" }, ["hunter22"]],
    [{ BROKERS: "amqp://u:one@h,amqp://u:two@h" }, ["one", "one@h,amqp://u:two", "two"]],
    [{ SENTRY_DSN: "https://0123456789abcdef@sentry.example/1" }, ["0123456789abcdef"]],
    [{ SQL: "Server=h;User=sa;Password=hunter22;" }, ["hunter22"]],
    [
      { OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20abcdefgh,x-team=blue" },
      ["abcdefgh", "blue"],
    ],
  ])("%j", (environment, secrets) => {
    expect(secretsIn(environment)).toEqual(secrets);
  });

  test("they are not shown where they are wrong, either", () => {
    expect(isSecret("DATABASE_URL", "postgres://u:p ss@h1:1,h2:2/db")).toBe(true);
    expect(isSecret("DATABASE_URL", "postgres://langwire@h1:1,h2:2/db")).toBe(false);
  });
});

function logging(...secrets: string[]) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { lines, logger: createLogger({ level: "trace", secrets, destination }) };
}

/** Each with what only it has. */
const secrets: Record<string, { value: string; trace: RegExp }> = {
  "a key": { value: "sk-canary-0123456789", trace: /canary/ },
  "a key with a blank at its end": { value: "sk-canary-0123456789 \n", trace: /canary/ },
  "a key in quotes": { value: '"sk-canary-0123456789"', trace: /canary/ },
  "a password that is encoded": { value: "p%40ss%2Fcanary%25", trace: /canary/ },
  "a password with a bare %": { value: "100%canary%ff%", trace: /canary/ },
  "one of every sign": { value: "a\"\\/'b canary+=&%?#@:;<>{}`é\u2028\u0085字😀", trace: /canary/ },
  "a key file": {
    value: "-----BEGIN KEY-----\nMIIcanary0123456789\ncanary+/abcdefghij\n-----END KEY-----\n",
    trace: /canary/,
  },
  "a key file in one line": {
    value: "-----BEGIN KEY-----\\nMIIcanary0123456789\\ncanary+/abcdefghij\\n-----END KEY-----",
    trace: /canary/,
  },
};

/** Ways in which what a server is given gets into what its libraries say. */
const spelled: Record<string, (value: string) => unknown> = {
  "as it is": (value) => value,
  "without blanks": (value) => value.trim(),
  "as a key": (value) => ({ [value]: 1 }),
  "in an error and its cause": (value) => new Error(value, { cause: new Error(`<${value}>`) }),
  "in an address": (value) => `postgres://u:${encodeURIComponent(value)}@h/d`,
  "in an address, in small letters": (value) =>
    encodeURIComponent(value).replaceAll(/%../g, (hex) => hex.toLowerCase()),
  "in a query": (value) => new URLSearchParams({ key: value }).toString(),
  "as a URL has it": (value) =>
    Object.assign(new URL("redis://u@h"), { password: value.trim() }).href,
  decoded: (value) => value.replaceAll("%40", "@").replaceAll("%2F", "/").replaceAll("%25", "%"),
  "as JSON": (value) => JSON.stringify({ key: value }),
  "as JSON in JSON": (value) => JSON.stringify(JSON.stringify({ key: value })),
  "as JSON of PHP's": (value) => JSON.stringify({ key: value }).replaceAll("/", "\\/"),
  inspected: (value) => format({ headers: { authorization: `Bearer ${value.trim()}` } }),
  "line by line": (value) => value.replaceAll("\\n", "\n").split("\n"),
  "cut at some length": (value) => `said ${value.trim().slice(0, -3)}`,
  "cut, with a sign": (value) => `said ${value.trim().slice(0, -3)}...`,
};

describe.each(Object.entries(secrets))("%s is hidden", (_, { value, trace }) => {
  test.each(Object.entries(spelled))("%s", (_, spell) => {
    const { lines, logger } = logging(value);
    const said = spell(value);
    logger.debug({ said, err: said, deep: [{ said }] }, `it said ${String(said)}`);
    logger.error(said instanceof Error ? said : new Error(format(said)));
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).not.toMatch(trace);
      expect(() => JSON.parse(line)).not.toThrow();
    }
  });

  test.each([0, 1, 2])("in Basic authentication, after %i characters", (before) => {
    const { lines, logger } = logging(value);
    for (const key of [value, value.trim()]) {
      const header = Buffer.from(`${"u".repeat(before)}:${key}`);
      logger.info({ a: `Basic ${header.toString("base64")}`, b: header.toString("base64url") });
    }
    for (const line of lines) {
      const said = JSON.parse(line);
      for (const text of [said.a.slice("Basic ".length), said.b]) {
        for (const part of text.split("[secret]")) {
          const bytes = [0, 1, 2, 3].map((at) => Buffer.from(part.slice(at), "base64").toString());
          expect(bytes.join("\n")).not.toMatch(trace);
        }
      }
    }
  });
});

test("what begins like a secret after a line break loses no line break", () => {
  const { lines, logger } = logging("nine-letters");
  logger.info("a\nine-letters, a nine-letters");
  expect(JSON.parse(lines[0] ?? "").msg).toBe("a\nine-letters, a [secret]");
});

test("short values, and what is like a secret and is none, stay", () => {
  const { lines, logger } = logging("short", "langwire-production");
  logger.info({ hostname: "langwire" }, "langwire is short");
  expect(lines[0]).toContain('"hostname":"langwire"');
  expect(lines[0]).toContain("langwire is short");
});
