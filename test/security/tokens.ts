/** Tokens for tests, and a server of keys whose behaviour can be changed. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWTPayload,
  SignJWT,
} from "jose";

export const secret = "a secret for tests, and for nothing else";

interface TokenParts {
  readonly expiresInS?: number;
  readonly claims?: JWTPayload;
}

export function sharedSecretToken(userId: string, parts: TokenParts = {}): Promise<string> {
  const { expiresInS = 60, claims = {} } = parts;
  const expiry = Math.floor(Date.now() / 1_000) + expiresInS;
  return new SignJWT({ sub: userId, exp: expiry, ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));
}

export const issuer = "https://issuer.example";
export const audience = "langwire";

export interface KeyServer extends AsyncDisposable {
  readonly url: URL;
  /** How often the keys were asked for. */
  readonly requests: number;
  /** Set to make it fail: an HTTP status, or a body that is no key set. */
  failure: number | string | undefined;
  sign(userId: string, options?: { keyId?: string; claims?: JWTPayload }): Promise<string>;
  /** A new key, signing from now on. */
  rotate(keyId: string): Promise<void>;
  stop(): Promise<void>;
  /** After `stop`, at the same address. */
  restart(): Promise<void>;
}

export async function startKeyServer(): Promise<KeyServer> {
  const keys = new Map<string, GenerateKeyPairResult>();
  const state = { requests: 0, failure: undefined as number | string | undefined };
  const server = createServer(async (_request, response) => {
    state.requests += 1;
    if (typeof state.failure === "number") return response.writeHead(state.failure).end();
    if (typeof state.failure === "string") return response.end(state.failure);
    const published = [...keys].map(async ([kid, { publicKey }]) => ({
      ...(await exportJWK(publicKey)),
      kid,
      alg: "ES256",
    }));
    response.end(JSON.stringify({ keys: await Promise.all(published) }));
  });
  const listen = (at: number) =>
    new Promise<void>((resolve) => server.listen(at, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  let signing = "first";
  keys.set(signing, await generateKeyPair("ES256"));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    url: new URL(`http://127.0.0.1:${port}/keys`),
    get requests() {
      return state.requests;
    },
    get failure() {
      return state.failure;
    },
    set failure(failure) {
      state.failure = failure;
    },
    sign: async (userId, { keyId = signing, claims = {} } = {}) => {
      const pair = keys.get(keyId) ?? (await generateKeyPair("ES256"));
      const exp = Math.floor(Date.now() / 1_000) + 60;
      return new SignJWT({ sub: userId, exp, iss: issuer, aud: audience, ...claims })
        .setProtectedHeader({ alg: "ES256", kid: keyId })
        .sign(pair.privateKey);
    },
    rotate: async (keyId) => {
      keys.set(keyId, await generateKeyPair("ES256"));
      signing = keyId;
    },
    stop,
    restart: () => listen(port),
    [Symbol.asyncDispose]: stop,
  };
}
