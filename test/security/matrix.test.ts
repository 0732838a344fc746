/**
 * Who may do what, by matrix: every procedure of the router, to everybody, about what exists, what was
 * deleted and what never was, by every way there is. What is expected is a code and no data, in so
 * many words: two answers that are only compared may both be wrong.
 */
import type { AnyTRPCProcedure } from "@trpc/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createChatRouter } from "../../src/api/router.ts";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { errorTable } from "../../src/protocol/errors.ts";
import { type Face, faces, type ProcedureType } from "./matrix/faces.ts";
import { openSetting, type Place, type Setting } from "./matrix/places.ts";
import { knownCallers, placeKinds, type Row, rows, type Verdict } from "./matrix/rows.ts";
import { sharedSecretToken } from "./tokens.ts";

let setting: Setting;
beforeAll(async () => {
  setting = await openSetting();
});
afterAll(() => setting[Symbol.asyncDispose]());

const types = await procedureTypes();

async function procedureTypes(): Promise<Record<string, ProcedureType>> {
  await using langwire = await openLangwire({ bots: [] });
  const connection = () => ({ caller: { userId: "x" } });
  const { procedures } = createChatRouter({ ...langwire, connection })._def;
  const flat = Object.entries(procedures as unknown as Record<string, AnyTRPCProcedure>);
  return Object.fromEntries(flat.map(([path, { _def }]) => [path, _def.type]));
}

test("every procedure of the router has a row", () => {
  expect([...new Set(rows.map(({ path }) => path))].sort()).toEqual(Object.keys(types).sort());
});

describe.each(rows.map((row) => [named(row), row] as const))("%s", (_name, row) => {
  const type = types[row.path] ?? "query";
  const open = Object.entries(faces).filter(
    ([name]) => type !== "subscription" || !name.includes("batch"),
  );

  test.each(open)("%s", async (_face, face) => {
    for (const kind of placeKinds) {
      for (const caller of knownCallers) {
        // Of what is not shared, and of what there never was, nobody is a member.
        if (caller === "member" && kind === "unshared") continue;
        await using place = await setting.place(kind);
        const token = await sharedSecretToken(place.users[caller]);
        const expected = row.verdicts[kind][caller];
        await expectVerdict({ row, face, place, token }, expected, `${caller}, ${kind}`);
      }
    }
  });

  test.each(open)("%s, without proof or with one that has expired", async (_face, face) => {
    for (const kind of placeKinds) {
      await using place = await setting.place(kind);
      const expired = await sharedSecretToken(place.users.owner, { expiresInS: -60 });
      for (const token of [undefined, expired]) {
        const asked = { row, face, place, token };
        await expectVerdict(asked, "UNAUTHORIZED", `${token && "expired"}, ${kind}`);
      }
    }
  });
});

function named({ path, how }: Row): string {
  return how === undefined ? path : `${path}, ${how}`;
}

interface Asked {
  readonly row: Row;
  readonly face: Face;
  readonly place: Place;
  readonly token: string | undefined;
}

async function expectVerdict(
  { row, face, place, token }: Asked,
  verdict: Verdict | "UNAUTHORIZED",
  where: string,
): Promise<void> {
  const before = await place.state();
  const { code, text } = await face(setting, {
    path: row.path,
    type: types[row.path] ?? "query",
    input: row.input(place),
    token,
    shows: row.shows(place),
  });
  switch (verdict) {
    case "answers":
      expect([where, code]).toEqual([where, undefined]);
      expect([where, text]).toEqual([where, expect.stringContaining(row.shows(place))]);
      if (place.kind !== "shared" && place.kind !== "unshared") expectNothingOf(place, text, where);
      return;
    case "nothing":
      expect([where, code]).toEqual([where, undefined]);
      break;
    case "refused":
      expect([where, code]).toEqual([where, "NOT_FOUND"]);
      expect([where, text]).toEqual([where, expect.stringContaining(row.refusal ?? "no words")]);
      break;
    case "NOT_FOUND":
      expect([where, code]).toEqual([where, verdict]);
      // One word more, and a stranger knows that there is something.
      expect([where, text]).toEqual([where, expect.stringContaining(errorTable.NOT_FOUND.meaning)]);
      break;
    default:
      expect([where, code]).toEqual([where, verdict]);
  }
  expectNothingOf(place, text, where);
  expect([where, await place.state()]).toEqual([where, before]);
}

/** Callers are told their own id by what they begin. */
function expectNothingOf({ secret, title, users }: Place, text: string, where: string): void {
  const others = Object.values(users).filter((user) => !user.startsWith(where.split(",")[0] ?? ""));
  for (const part of [secret, title, ...others]) {
    expect([where, text]).toEqual([where, expect.not.stringContaining(part)]);
  }
}
