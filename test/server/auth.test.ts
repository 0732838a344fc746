/** Tokens: what proves a caller, and what does not. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { verifyTokens } from "../../src/server/access/auth.ts";
import { readUserId } from "../../src/server/access/callers.ts";
import { audience, issuer, secret, sharedSecretToken, startKeyServer } from "../security/tokens.ts";

const nobody = { connectionParams: null, headers: {} };
const unauthorized = { code: "UNAUTHORIZED" };
const unavailable = { code: "AUTH_UNAVAILABLE", retryable: true, retryAfterMs: 1_000 };

function base64(value: object | string): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString(
    "base64url",
  );
}

function handMade(header: object, claims: object, key = secret): string {
  const signed = `${base64(header)}.${base64(claims)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

const inAMinute = () => Math.floor(Date.now() / 1_000) + 60;

describe("with a shared secret", () => {
  const authenticate = verifyTokens({ key: { secret } });

  test("the token's subject is the caller, until it expires", async () => {
    const token = await sharedSecretToken("ann", { expiresInS: 60 });
    const identity = await authenticate({ ...nobody, connectionParams: { token } });
    expect(identity.userId).toBe("ann");
    expect(Math.abs((identity.expiresAtMs ?? 0) - Date.now() - 65_000)).toBeLessThan(2_000);
  });

  test("it may come as a header", async () => {
    const token = await sharedSecretToken("ann");
    for (const authorization of [`Bearer ${token}`, `bearer  ${token}`]) {
      const identity = await authenticate({ connectionParams: null, headers: { authorization } });
      expect(identity.userId).toBe("ann");
    }
  });

  test("a name without a token is nobody", async () => {
    const params = { connectionParams: { userId: "ann" }, headers: { "x-user-id": "ann" } };
    await expect(authenticate(params)).rejects.toMatchObject(unauthorized);
  });

  test.each([
    ["Persian, with its half space", "علی\u200Cرضا"],
    ["Sinhala", "ශ්\u200Dරී"],
    ["Malayalam that ends in a joiner", "അവന്\u200D"],
    ["Bengali, the joiner before the virama", "র\u200D্যাম"],
    ["Mongolian", "ᠰᠠᠷ\u180Eᠠ"],
    ["a family of emoji", "👨\u200D👩🏽\u200D👧"],
    ["a heart on fire", "❤\uFE0F\u200D🔥"],
    ["Scotland's flag", "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}"],
    ["Japanese", "山田 太郎"],
    ["Arabic", "عمر"],
  ])("a name is taken in every script: %s", async (_what, name) => {
    const { userId } = await authenticate({
      ...nobody,
      connectionParams: { token: await sharedSecretToken(name) },
    });
    expect(userId).toBe(name);
    expect(readUserId(name)).toBe(name);
  });

  test.each([
    ["a joiner between letters that do not join", "an\u200Dn"],
    ["a joiner at the beginning", "\u200Dann"],
    ["a joiner after an accent", "e\u0301\u200D"],
    ["two joiners", "علی\u200C\u200C"],
    ["a joiner between Chinese characters", "山\u200C田"],
    ["a space without width", "ann\u200B"],
    ["a word joiner", "ann\u2060"],
    ["a soft hyphen", "an\u00ADn"],
    ["a right-to-left override", "\u202Enna"],
    ["a right-to-left mark", "عمر\u200F"],
    ["tags without a flag", "ann\u{E0061}\u{E007F}"],
    ["a flag without an end", "🏴\u{E0067}"],
  ])("a name that looks like another is none: %s", async (_what, name) => {
    expect(() => readUserId(name)).toThrow(expect.objectContaining(unauthorized));
  });

  test.each([
    ["nothing", () => ""],
    ["rubbish", () => "a.b.c"],
    ["an endless token", () => "x".repeat(1_000_000)],
    ["no expiry", () => handMade({ alg: "HS256" }, { sub: "ann" })],
    ["an expired token", () => sharedSecretToken("ann", { expiresInS: -60 })],
    ["one for later", () => sharedSecretToken("ann", { claims: { nbf: inAMinute() } })],
    ["no subject", () => handMade({ alg: "HS256" }, { exp: inAMinute() })],
    ["an empty subject", () => sharedSecretToken("")],
    ["a subject with a line end", () => sharedSecretToken("ann\nadmin")],
    ["a subject that is a number", () => handMade({ alg: "HS256" }, { sub: 1, exp: inAMinute() })],
    ["an endless subject", () => sharedSecretToken("x".repeat(300))],
    ["more than 8 KiB", () => sharedSecretToken("ann", { claims: { roles: "x".repeat(8_192) } })],
    ["another secret", () => handMade({ alg: "HS256" }, { sub: "a", exp: inAMinute() }, "other")],
    ["no signature", () => `${base64({ alg: "none" })}.${base64({ sub: "a", exp: inAMinute() })}.`],
    ["another algorithm", () => handMade({ alg: "HS512" }, { sub: "a", exp: inAMinute() })],
    [
      "a list of critical headers",
      () => handMade({ alg: "HS256", crit: ["x"], x: 1 }, { sub: "a" }),
    ],
  ])("%s proves nobody", async (_what, make) => {
    const connectionParams = { token: await make() };
    await expect(authenticate({ ...nobody, connectionParams })).rejects.toMatchObject(unauthorized);
  });

  test("issuer and audience count where they are set", async () => {
    const strict = verifyTokens({ key: { secret }, issuer, audience });
    const good = await sharedSecretToken("ann", { claims: { iss: issuer, aud: ["x", audience] } });
    const params = (token: string) => ({ ...nobody, connectionParams: { token } });
    expect(await strict(params(good))).toMatchObject({ userId: "ann" });
    for (const claims of [{}, { iss: issuer }, { aud: audience }, { iss: issuer, aud: "other" }]) {
      const token = await sharedSecretToken("ann", { claims });
      await expect(strict(params(token))).rejects.toMatchObject(unauthorized);
    }
  });
});

describe("with published keys", () => {
  async function setUp() {
    const keys = await startKeyServer();
    const authenticate = verifyTokens({ key: { jwksUrl: keys.url }, issuer, audience });
    const verify = (token: string) => authenticate({ ...nobody, connectionParams: { token } });
    return { keys, verify, [Symbol.asyncDispose]: () => keys[Symbol.asyncDispose]() };
  }

  test("a token signed by one of them proves its subject; the keys are asked for once", async () => {
    await using s = await setUp();
    const tokens = await Promise.all(["ann", "ben", "cleo"].map((user) => s.keys.sign(user)));
    const callers = await Promise.all(tokens.map((token) => s.verify(token)));
    expect(callers.map(({ userId }) => userId)).toEqual(["ann", "ben", "cleo"]);
    expect(s.keys.requests).toBe(1);
  });

  test("the public key is no shared secret", async () => {
    await using s = await setUp();
    const published = await (await fetch(s.keys.url)).text();
    const claims = { sub: "ann", exp: inAMinute(), iss: issuer, aud: audience };
    const forged = handMade({ alg: "HS256", kid: "first" }, claims, published);
    await expect(s.verify(forged)).rejects.toMatchObject(unauthorized);
  });

  test("tokens for others, and by others, prove nobody", async () => {
    await using s = await setUp();
    const others = [
      s.keys.sign("ann", { claims: { aud: "another service" } }),
      s.keys.sign("ann", { claims: { iss: "https://other.example" } }),
      s.keys.sign("ann", { keyId: "unknown" }),
    ];
    for (const token of await Promise.all(others)) {
      await expect(s.verify(token)).rejects.toMatchObject(unauthorized);
    }
  });

  test("made-up keys cannot make it ask again and again", async () => {
    await using s = await setUp();
    await s.verify(await s.keys.sign("ann"));
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) => s.keys.sign("ann", { keyId: `made up ${index}` })),
    );
    for (const token of made) await expect(s.verify(token)).rejects.toMatchObject(unauthorized);
    expect(s.keys.requests).toBe(1);
  });

  test.each([500, 302, "not JSON", '{"keys":"none"}'])(
    "a key server that answers %s",
    async (failure) => {
      await using s = await setUp();
      s.keys.failure = failure;
      const token = await s.keys.sign("ann");
      await expect(s.verify(token)).rejects.toMatchObject(unavailable);
      s.keys.failure = undefined;
      expect(await s.verify(token)).toMatchObject({ userId: "ann" });
    },
  );

  test("a key server that is gone: known keys go on, and nobody new is let in", async () => {
    await using s = await setUp();
    const token = await s.keys.sign("ann");
    await s.verify(token);
    await s.keys.stop();
    expect(await s.verify(token)).toMatchObject({ userId: "ann" });
    const fresh = verifyTokens({ key: { jwksUrl: s.keys.url }, issuer, audience });
    const retry = () => fresh({ ...nobody, connectionParams: { token } });
    await expect(retry()).rejects.toMatchObject(unavailable);
    await s.keys.restart();
    expect(await retry()).toMatchObject({ userId: "ann" });
  });
});
