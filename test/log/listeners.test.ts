import { describe, expect, test } from "vitest";
import { ConversationLog } from "../../src/log/conversation-log.ts";
import type { Slice } from "../../src/log/log.ts";

const token = (text: string) => ({ type: "token", runId: "run", spanId: "span", text }) as const;

function logWith(readers: readonly number[]): { log: ConversationLog; read: Slice[] } {
  const log = new ConversationLog("one");
  log.placeAfter(0);
  const read: Slice[] = [];
  for (const after of readers) log.listeners.add(() => void read.push(log.read(after)));
  return { log, read };
}

describe("readers that are woken together", () => {
  test("are given one slice where they stand at one place, and their own elsewhere", () => {
    const { log, read } = logWith([0, 0, 1, 0]);
    log.append(token("a"));
    log.commit();
    expect(read[1]).toBe(read[0]);
    expect(read.map(({ entries }) => entries.map(({ seq }) => seq))).toEqual([[1], [1], [], [1]]);
  });

  test("are given what is there at each change", () => {
    const { log, read } = logWith([0, 0]);
    for (const text of ["a", "b"]) {
      log.append(token(text));
      log.commit();
    }
    log.dropThrough(1);
    const seen = read.map(({ entries, oldest }) => [entries.map(({ seq }) => seq), oldest]);
    const [afterOne, afterTwo, afterDrop] = [
      [[1], 1],
      [[1, 2], 1],
      [[2], 2],
    ];
    expect(seen).toEqual([afterOne, afterOne, afterTwo, afterTwo, afterDrop, afterDrop]);
  });

  test("are given what is there by then where one of them changes it", () => {
    const { log, read } = logWith([0, 0]);
    const seqs = ({ entries }: Slice) => entries.map(({ seq }) => seq);
    let told = 0;
    log.listeners.add(() => {
      if (++told > 1) return;
      log.append(token("b"));
      log.commit();
    });
    log.listeners.add(() => void read.push(log.read(0)));
    log.append(token("a"));
    log.commit();
    expect(read.map(seqs)).toEqual([[1], [1], [1, 2], [1, 2], [1, 2], [1, 2]]);
  });

  test("and who reads later has nothing of theirs", () => {
    const { log, read } = logWith([0, 0]);
    log.append(token("a"));
    log.commit();
    const later = log.read(0);
    expect(later).not.toBe(read[0]);
    expect(later).toEqual(read[0]);
    expect(log.read(0)).not.toBe(later);
  });

  test("a slice that was cut is not said to be the last", () => {
    const { log } = logWith([]);
    for (let index = 0; index < 300; index++) {
      log.append(token("a"));
      log.commit();
    }
    const { entries, isLast } = log.read(0);
    expect(isLast).toBe(false);
    expect(log.read(entries.at(-1)?.seq ?? 0)).toMatchObject({ isLast: true });
  });
});
