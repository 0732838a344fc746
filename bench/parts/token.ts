/** Tokens as an application would give them to its users: JSON Web Tokens, signed with HS256. */
import { createHmac } from "node:crypto";

export const tokenSecret = "a secret that the bench shares with the server it measures";

const lifetimeS = 3_600;

export function tokenFor(userId: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1_000) + lifetimeS;
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: userId, exp })}`;
  return `${signed}.${createHmac("sha256", tokenSecret).update(signed).digest("base64url")}`;
}
