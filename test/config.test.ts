/** Settings: `.env.example` tells the truth, and a wrong value is named before anything starts. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ConfigError, readSettings, secretsIn, settings } from "../src/config.ts";

const example = await readFile(new URL("../.env.example", import.meta.url), "utf8");

/** Each setting of the file: whether it is set there, to what, and the sentence above it. */
const described = new Map(
  [...example.matchAll(/^# (.+)\n(# )?([A-Z][A-Z0-9_]+)=(.*)$/gm)].map(
    ([, sentence = "", commented, name = "", value = ""]) =>
      [name, { sentence, value: commented === undefined ? value : undefined }] as const,
  ),
);

describe(".env.example", () => {
  test("has every setting, in the schema's order, and no other", () => {
    expect([...described.keys()]).toEqual(Object.keys(settings.shape));
  });

  test.each([...described])("says what %s is, and its default", (name, { sentence, value }) => {
    expect(sentence).toMatch(/^[A-Z].{20,}\.$/);
    const defaults: Record<string, unknown> = readSettings({});
    const set: Record<string, unknown> = readSettings(value === undefined ? {} : { [name]: value });
    expect(set[name]).toEqual(defaults[name]);
    expect(value === undefined).toBe(defaults[name] === undefined);
  });
});

function problems(environment: Record<string, string>): string {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

const secret = "0123456789abcdef0123456789abcdef";

describe("a wrong value names the variable, what it was and what it may be", () => {
  test.each([
    [{ PORT: "70000" }, 'PORT is "70000": must be a whole number, from 0 to 65535'],
    [{ PORT: "80 80" }, 'PORT is "80 80": must be a whole number, from 0 to 65535'],
    [{ MAX_SOCKETS: "1e3" }, 'MAX_SOCKETS is "1e3": must be a whole number, 1 or more'],
    [{ MAX_SOCKETS: "0" }, 'MAX_SOCKETS is "0": must be a whole number, 1 or more'],
    [{ PING_MS: "-1" }, 'PING_MS is "-1": must be a whole number, from 1 to 2147483647'],
    [{ PING_MS: "2147483648" }, "PING_MS is"],
    [{ MODEL: "gpt" }, 'MODEL is "gpt": must be provider:name, such as openai:gpt-4.1-mini'],
    [{ OPENAI_BASE_URL: "localhost" }, 'OPENAI_BASE_URL is "localhost": must be an http'],
    [{ LOG_LEVEL: "loud" }, 'LOG_LEVEL is "loud": Invalid option: expected one of "trace"'],
    [{ AUTH_SECRET: "short" }, "AUTH_SECRET is (not shown): must be 32 bytes or longer"],
    [{ ALLOW_ANONYMOUS: "yes" }, 'ALLOW_ANONYMOUS is "yes": must be true or false'],
    [{ ALLOWED_ORIGINS: "https://a.example/" }, 'ALLOWED_ORIGINS is "https://a.example/": must be'],
    [{ ALLOWED_ORIGINS: "*" }, 'ALLOWED_ORIGINS is "*": must be'],
    [{ ALLOWED_ORIGINS: "null" }, 'ALLOWED_ORIGINS is "null": must be'],
    [{ TRUSTED_PROXIES: "10.0.0.0/33" }, 'TRUSTED_PROXIES is "10.0.0.0/33": must be'],
    [{ AUTH_JWKS_URL: "http://keys.example" }, "AUTH_JWKS_URL is"],
    [{ AUTH_JWKS_URL: "https://keys.example" }, "AUTH_ISSUER is not set: must be set with"],
    [{ AUTH_JWKS_URL: "https://keys.example" }, "AUTH_AUDIENCE is not set: must be set with"],
    [{ AUTH_SECRET: secret, AUTH_JWKS_URL: "https://keys.example" }, "AUTH_JWKS_URL is"],
    [{ DATABASE_URL: "mysql://host/name" }, "must be a URL such as postgres://"],
    [{ REDIS_URL: "host:6379" }, "must be a URL such as redis://"],
    [{ REDIS_URL: "redis://host" }, "must be set together with DATABASE_URL"],
    [{ HOST: "0.0.0.0" }, 'HOST is "0.0.0.0": must be a loopback address'],
    [{ HOST: "localhost.example" }, "HOST is"],
    [{ MAX_MESSAGES_PER_FRAME: "100" }, 'MAX_MESSAGES_PER_FRAME is "100": must be more than'],
    [{ MAX_SUBSCRIPTIONS_PER_SOCKET: "500" }, "MAX_MESSAGES_PER_FRAME is 128 by default: must be"],
    [{ MAX_REQUESTS_PER_SECOND: "10" }, 'MAX_REQUESTS_PER_SECOND is "10": must be at least'],
  ])("%o", (environment, message) => {
    expect(problems(environment)).toContain(message);
  });

  test("all that are wrong are named at once", () => {
    expect(problems({ PORT: "x", PING_MS: "x" }).split("\n")).toHaveLength(2);
  });

  test("secrets are not repeated, nor passwords in addresses", () => {
    const wrong = { OPENAI_BASE_URL: "ftp://user:hunter22@host" };
    expect(problems(wrong)).toContain("OPENAI_BASE_URL is (not shown)");
  });

  test("an empty variable counts as not set", () => {
    expect(readSettings({ PORT: "", AUTH_SECRET: "" }).PORT).toBe(3000);
  });

  test.each([
    [{ HOST: "localhost" }],
    [{ HOST: "::1" }],
    [{ HOST: "127.8.8.8" }],
    [{ HOST: "0.0.0.0", ALLOW_ANONYMOUS: "true" }],
    [{ HOST: "0.0.0.0", AUTH_SECRET: secret }],
  ])("%o may start", (environment) => {
    expect(problems(environment)).toBe("");
  });
});

test("what a log must hide: secrets by their names, and passwords in addresses", () => {
  const environment = {
    OPENAI_API_KEY: "sk-0123456789",
    SOME_TOKEN: "short",
    DATABASE_URL: "postgres://user:p%40ssw0rd@host/db",
    PATH: "/usr/bin:/bin",
  };
  expect(secretsIn(environment)).toEqual(["sk-0123456789", "p@ssw0rd"]);
});

describe.concurrent("the process", () => {
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

  function start(environment: Record<string, string>) {
    const env = { PATH: process.env.PATH, ...environment };
    return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, [main], { env }, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
    });
  }

  test("does not start on another address without authentication", async () => {
    const { code, stdout, stderr } = await start({ HOST: "0.0.0.0", PORT: "0" });
    expect(code).toBe(1);
    expect(stderr).toContain('HOST is "0.0.0.0": must be a loopback address');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe("");
  });

  test("names a model that it does not know", async () => {
    const { code, stderr } = await start({ MODEL: "nobody:knows", PORT: "0" });
    expect(code).toBe(1);
    expect(stderr).toContain('MODEL is "nobody:knows": ');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test("says so when the data folder cannot be one", async () => {
    const { code, stderr } = await start({ DATA_DIR: main, PORT: "0" });
    expect(code).toBe(1);
    expect(stderr).toContain(`DATA_DIR is ${JSON.stringify(main)}: `);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
