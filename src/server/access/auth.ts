/** Callers who prove who they are with a JSON Web Token. */
import { webcrypto } from "node:crypto";
import {
  createRemoteJWKSet,
  errors,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import { LangwireError } from "../../protocol/errors.ts";
import { type Credentials, type Identity, readUserId } from "./callers.ts";

/** What a token was signed with: a secret shared with its issuer, or keys that the issuer publishes. */
export type TokenKey = { readonly secret: string } | { readonly jwksUrl: URL };

export interface TokenOptions {
  readonly key: TokenKey;
  /** `iss` has to be this. */
  readonly issuer?: string | undefined;
  /** `aud` has to be this, or to contain it. */
  readonly audience?: string | undefined;
}

/** HS256 is as strong as its key: no shorter than what it makes. */
export const minSecretBytes = 32;

/** Never HS256 here: whoever knows the public key could sign with it. */
const publicKeyAlgorithms = ["RS256", "PS256", "ES256", "EdDSA"];
const { subtle } = webcrypto;
const maxTokenLength = 8 * 1024;
const clockToleranceS = 5;
const jwksTimeoutMs = 5_000;
/** May be short: callers who retry while the keys are being downloaded share that download. */
const retryAfterMs = 1_000;
const bearer = /^Bearer +([\w.~+/=-]+)$/i;

/**
 * Takes the token from `connectionParams.token` or an `Authorization: Bearer` header. `sub` names the
 * caller, and `exp` is when the connection ends.
 */
export function verifyTokens({
  key,
  issuer,
  audience,
}: TokenOptions): (credentials: Credentials) => Promise<Identity> {
  const required = {
    requiredClaims: ["sub", "exp"],
    clockTolerance: clockToleranceS,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
  const verify = verifierFor(key, required);
  return async (credentials) => {
    const token = tokenOf(credentials);
    try {
      return identityOf(await verify(token));
    } catch (cause) {
      throw refusal(cause);
    }
  };
}

interface Claims {
  readonly sub?: string;
  readonly exp?: number;
}

function verifierFor(
  key: TokenKey,
  required: JWTVerifyOptions,
): (token: string) => Promise<Claims> {
  if ("secret" in key) {
    const secret = hmacKey(key.secret);
    const options = { ...required, algorithms: ["HS256"] };
    return async (token) => (await jwtVerify(token, await secret(), options)).payload;
  }
  // Keeps the keys, shares a download between callers, and leaves a pause between downloads for
  // keys that nobody knows, so tokens that were made up cannot make it ask again and again.
  const jwks = createRemoteJWKSet(key.jwksUrl, { timeoutDuration: jwksTimeoutMs });
  const options = { ...required, algorithms: publicKeyAlgorithms };
  const findKey: JWTVerifyGetKey = async (header, token) => {
    try {
      return await jwks(header, token);
    } catch (cause) {
      if (blamesToken(cause)) throw cause;
      throw new LangwireError("AUTH_UNAVAILABLE", { retryAfterMs, cause });
    }
  };
  return async (token) => (await jwtVerify(token, findKey, options)).payload;
}

/** Imported once: given as bytes it is imported for each token, which costs as much as to verify it. */
function hmacKey(secret: string): () => ReturnType<typeof importHmacKey> {
  let key: ReturnType<typeof importHmacKey> | undefined;
  return () => {
    key ??= importHmacKey(secret);
    return key;
  };
}

function importHmacKey(secret: string) {
  const bytes = new TextEncoder().encode(secret);
  return subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

function tokenOf({ connectionParams, headers }: Credentials): string {
  const token = connectionParams?.token ?? bearerOf(headers.authorization);
  if (typeof token !== "string" || token === "" || token.length > maxTokenLength) {
    throw new LangwireError("UNAUTHORIZED", { message: "This server asks for a token." });
  }
  return token;
}

function bearerOf(authorization: string | string[] | undefined): string | undefined {
  return typeof authorization === "string" ? bearer.exec(authorization)?.[1] : undefined;
}

function identityOf({ sub, exp }: Claims): Identity {
  if (exp === undefined) throw new LangwireError("UNAUTHORIZED");
  return { userId: readUserId(sub), expiresAtMs: (exp + clockToleranceS) * 1_000 };
}

function refusal(cause: unknown): LangwireError {
  if (cause instanceof LangwireError) return cause;
  if (cause instanceof errors.JWTExpired) {
    return new LangwireError("UNAUTHORIZED", { message: "The token has expired.", cause });
  }
  return new LangwireError("UNAUTHORIZED", { message: "The token is not valid.", cause });
}

/** Whether the token is at fault. Any other error means that the keys could not be had. */
function blamesToken(cause: unknown): boolean {
  return (
    cause instanceof errors.JWKSNoMatchingKey ||
    cause instanceof errors.JWKSMultipleMatchingKeys ||
    cause instanceof errors.JOSENotSupported
  );
}
