/** Addresses of databases, as their drivers take them: what a driver would trip over is named before. */
import { z } from "zod";
import { encodeStraySigns } from "../server/percent-encoding.ts";

export interface AddressKind {
  /** Without the colon. */
  readonly protocol: RegExp;
  readonly example: string;
}

const encoding = "write %23 for #, %2F for /, %3A for :, %3F for ?, %40 for @, %25 for %";

export function serverAddress({ protocol, example }: AddressKind) {
  return z
    .string()
    .transform((value) => encodeStraySigns(value).replaceAll(" ", "%20"))
    .superRefine((value, context) => {
      const problem = problemOf(value, { protocol, example });
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    });
}

function problemOf(value: string, { protocol, example }: AddressKind): string | undefined {
  const form = `must be a URL such as ${example}`;
  if (namesSeveralHosts(value)) {
    return "must name one host: for several, name what finds the one that takes writes, such as HAProxy or a name that moves";
  }
  const url = URL.parse(value);
  if (url === null) return `${form}; in a password, ${encoding}`;
  if (!protocol.test(url.protocol.slice(0, -1)) || !/^[^:]+:\/\//.test(value)) return form;
  return undefined;
}

/** As libpq and Redis's Sentinel take them; Node's drivers do not. */
function namesSeveralHosts(value: string): boolean {
  const authority = /^[^:]+:\/\/(?:[^/?#]*@)?([^/?#]*)/.exec(value)?.[1] ?? "";
  const inQuery = /[?&]host=([^&#]*)/.exec(value)?.[1] ?? "";
  return authority.includes(",") || /,|%2c/i.test(inQuery);
}
