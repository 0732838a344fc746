/**
 * Makes UUIDs lower case where a call comes in: upper and lower case are one id, so the same run sent
 * again in capitals is followed, and not paid twice. Ids that an older server stored with capitals are
 * still found as they are.
 */
import type { Caller } from "../runs/caller.ts";
import type { Store } from "../store/store.ts";

/** Fields of inputs that are ids made by clients. */
const idFields = ["runId", "conversationId"] as const;
const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/** @returns the input itself where its ids are canonical, as nearly always; no input is refused here */
export async function canonicalIds(input: unknown, caller: Caller, store: Store): Promise<unknown> {
  if (typeof input !== "object" || input === null) return input;
  let canonical: Record<string, unknown> | undefined;
  for (const field of idFields) {
    const id: unknown = Reflect.get(input, field);
    if (typeof id !== "string" || !uuid.test(id)) continue;
    const small = id.toLowerCase();
    if (small === id || (await isStored(field, id, caller, store))) continue;
    canonical = { ...(canonical ?? input), [field]: small };
  }
  return canonical ?? input;
}

async function isStored(
  field: (typeof idFields)[number],
  id: string,
  { userId }: Caller,
  { runs, administration }: Store,
): Promise<boolean> {
  switch (field) {
    case "runId":
      return (await runs.get(id, userId)) !== undefined;
    case "conversationId":
      return (await administration.conversation(id)) !== undefined;
  }
}
