/** Operators' own tokens: those of the metrics and of the admin command. */
import { createHash, timingSafeEqual } from "node:crypto";

/** Whether the header brings the token; compared in a time that says nothing of where they differ. */
export function bringsToken(authorization: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(authorization ?? ""), digest(`Bearer ${token}`));
}
