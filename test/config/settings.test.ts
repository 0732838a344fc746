/** Settings: `.env.example` tells the truth, and a wrong value is named before anything starts. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ConfigError, readSettings, serviceLinks } from "../../src/config/read-settings.ts";
import { settings } from "../../src/config/settings.ts";
import { refuseOpenAddress } from "../../src/serve/wrong-setting.ts";
import { temporaryFolder } from "../faults/child-server.ts";
import { startProgram } from "../support/child-process.ts";

const example = await readFile(new URL("../../.env.example", import.meta.url), "utf8");

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

test.each([
  ["forever", Number.POSITIVE_INFINITY],
  ["off", 0],
  ["90m", 90 * 60_000],
  ["12h", 12 * 60 * 60_000],
  ["30d", 30 * 24 * 60 * 60_000],
])("KEEP_EVENTS=%s", (KEEP_EVENTS, keepEventsMs) => {
  expect(readSettings({ KEEP_EVENTS }).KEEP_EVENTS).toBe(keepEventsMs);
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
    [
      { KEEP_EVENTS: "30" },
      'KEEP_EVENTS is "30": must be forever, off, or a time in minutes, hours',
    ],
    [{ KEEP_EVENTS: "0d" }, 'KEEP_EVENTS is "0d": must be forever, off, or a time'],
    [
      { LOG_LEVEL: "loud" },
      'LOG_LEVEL is "loud": must be trace, debug, info, warn, error, fatal or silent',
    ],
    [{ AUTH_SECRET: "short" }, "AUTH_SECRET is (not shown): must be 32 bytes or longer"],
    [{ AUTH_SECRET: `${secret} ` }, "AUTH_SECRET is (not shown): must not begin and end with"],
    [{ AUTH_SECRET: `"${secret}"` }, "AUTH_SECRET is (not shown): must not begin and end with"],
    [{ AUTH_SECRET: `${secret}\r` }, "AUTH_SECRET is (not shown): must not begin and end with"],
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
    [{ DATABASE_URL: "postgres:host" }, "must be a URL such as postgres://"],
    [{ DATABASE_URL: "postgres://a:1,b:2/name" }, "DATABASE_URL is "],
    [{ DATABASE_URL: "postgres://a:1,b:2/name" }, "must name one host"],
    [{ DATABASE_URL: "postgres://a,b/name" }, "must name one host"],
    [{ DATABASE_URL: "postgres:///name?host=a%2Cb" }, "must name one host"],
    [{ DATABASE_URL: "postgres://u:p#1@h/name" }, "is (not shown): must be a URL such as postgres"],
    [{ DATABASE_URL: "postgres://u:p#1@h/name" }, "write %23 for #"],
    [{ REDIS_URL: "redis://a:1,b:2" }, "must name one host"],
    [{ REDIS_URL: "host:6379" }, "must be a URL such as redis://"],
    [{ REDIS_URL: "redis://host" }, "must be set together with DATABASE_URL"],
    [{ SIGN_IN_URL: "//elsewhere.example" }, "SIGN_IN_URL is"],
    [{ SIGN_OUT_URL: "javascript:alert(1)" }, "SIGN_OUT_URL is"],
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
    [{ HOST: "localhost" }, {}],
    [{ HOST: "::1" }, {}],
    [{ HOST: "127.8.8.8" }, {}],
    [{ HOST: "0.0.0.0", ALLOW_ANONYMOUS: "true" }, {}],
    [{ HOST: "0.0.0.0", AUTH_SECRET: secret }, {}],
    [{ HOST: "0.0.0.0" }, { authenticate: () => null }],
  ])("%o with %o may start", (environment, program) => {
    refuseOpenAddress(readSettings(environment), { bots: [], ...program });
  });

  test.each(["0.0.0.0", "::", "localhost.example"])("nothing may be open to all at %s", (HOST) => {
    expect(() => refuseOpenAddress(readSettings({ HOST }), { bots: [] })).toThrow(
      `HOST is "${HOST}": must be a loopback address`,
    );
  });
});

describe("what files leave in the environment is put right", () => {
  test.each([
    [{ PORT: " 4000 " }],
    [{ PORT: "4000\r" }],
    [{ PORT: '"4000"' }],
    [{ PORT: "'4000'" }],
    [{ "PORT ": "4000" }],
    [{ "\ufeffPORT": "4000" }],
    [{ "\ufeffPORT": "3001", PORT: "4000" }],
    [{ PORT: "4000", "PORT ": "3001" }],
  ])("%j", (environment) => {
    expect(readSettings(environment).PORT).toBe(4000);
  });

  test("blanks alone count as not set", () => {
    expect(readSettings({ OPENAI_API_KEY: " \r", PORT: " " })).toMatchObject({ PORT: 3000 });
    expect(readSettings({ OPENAI_API_KEY: " \r" }).OPENAI_API_KEY).toBeUndefined();
  });

  test("a % in a password stands for itself where it encodes nothing", () => {
    const both = { DATABASE_URL: "postgres://u:100%@h/d", REDIS_URL: "redis://:p%ss%40%fa@h" };
    expect(readSettings(both)).toMatchObject({
      DATABASE_URL: "postgres://u:100%25@h/d",
      REDIS_URL: "redis://:p%25ss%40%25fa@h",
    });
  });

  test.each(["postgres:///name?host=/run/postgresql", "postgres://%2Frun%2Fpostgresql/name"])(
    "%s is an address",
    (DATABASE_URL) => {
      expect(readSettings({ DATABASE_URL })).toMatchObject({ DATABASE_URL });
    },
  );

  test("a variable of Kubernetes's for a Service called metrics is no setting", () => {
    const environment = { METRICS_PORT: "tcp://10.0.0.7:9464", METRICS_PORT_9464_TCP_PORT: "9464" };
    expect(readSettings(environment).METRICS_PORT).toBeUndefined();
    expect(serviceLinks(environment)).toEqual(["METRICS_PORT"]);
    expect(serviceLinks({ METRICS_PORT: "9464", DATABASE_URL: "tcp://h" })).toEqual([]);
  });
});

describe.concurrent("the process", () => {
  const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

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
    expect(stdout).not.toContain("listening");
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

  test("a password with a % ends nothing, and is not repeated where the database is away", async () => {
    const DATABASE_URL = "postgres://user:100%canary@127.0.0.1:1/name";
    const { code, stdout, stderr } = await start({ DATABASE_URL, PORT: "0", LOG_LEVEL: "trace" });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^DATABASE_URL cannot be used: .+\nEvery setting .+\n$/);
    expect(stdout + stderr).not.toContain("canary");
  });

  test("starts with whatever else is in the environment", async () => {
    await using folder = await temporaryFolder();
    await using program = startProgram(process.execPath, [main], {
      env: {
        ...{ DATA_DIR: ` ${folder.path} `, PORT: "0\r", METRICS_PORT: "tcp://10.0.0.7:9464" },
        ...{ HTTPS_PROXY: "http://user:100%@proxy:3128", SOME_URL: "mysql://u:pa%ss@h/db" },
      },
    });
    await program.printed(/"msg":"Server listening/);
    expect(program.output).toContain('"name":"METRICS_PORT"');
  });
});
