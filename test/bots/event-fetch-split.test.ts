import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Events } from "../../src/event-fetch/sse-split.ts";
import { eventDocument } from "./event-fetch-documents.ts";
import { cutAt } from "./event-fetch-server.ts";

function split(pieces: readonly Buffer[], enoughBytes?: number): Buffer[] {
  const events = new Events();
  const taken: Buffer[] = [];
  for (const piece of pieces) {
    events.put(piece);
    for (let event = events.take(enoughBytes); event; event = events.take(enoughBytes)) {
      taken.push(event);
    }
  }
  const rest = events.rest();
  expect(events.byteLength).toBe(0);
  return rest === undefined ? taken : [...taken, rest];
}

/** Up to and with the second of two line ends that follow each other. */
const reference = /[\s\S]*?(?:\r\n|\n|\r(?!\n)){2}|[\s\S]+$/g;
const blankLineAtEnd = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)$/;

function splitText(text: string): string[] {
  return text.match(reference) ?? [];
}

const text = (pieces: readonly Buffer[]): string[] =>
  pieces.map((piece) => piece.toString("latin1"));

describe("cutting bytes into events", () => {
  it("ends an event with its blank line, whatever the line ends are", () => {
    fc.assert(
      fc.property(eventDocument, ({ bytes }) => {
        expect(text(split([bytes]))).toEqual(splitText(bytes.toString("latin1")));
      }),
      { numRuns: 3000 },
    );
  });

  it("gives the same events, wherever the network cuts", () => {
    // An LF that comes after the CR of a blank line begins the next event, where it says nothing.
    const said = (events: readonly string[]): string[] =>
      events.map((event) => event.replace(/^[\r\n]+|[\r\n]+$/g, "")).filter(Boolean);
    fc.assert(
      fc.property(eventDocument, ({ bytes, cuts }) => {
        const events = text(split(cutAt(bytes, cuts)));
        expect(events.join("")).toBe(bytes.toString("latin1"));
        expect(said(events)).toEqual(said(splitText(bytes.toString("latin1"))));
        for (const event of events.slice(0, -1)) expect(event).toMatch(blankLineAtEnd);
      }),
      { numRuns: 3000 },
    );
  });

  it("gives an event as soon as its blank line is there, byte by byte", () => {
    fc.assert(
      fc.property(eventDocument, ({ bytes }) => {
        const events = new Events();
        let received = "";
        let given = "";
        for (const byte of bytes) {
          events.put(Buffer.of(byte));
          received += String.fromCharCode(byte);
          for (let event = events.take(); event; event = events.take()) {
            given += event.toString("latin1");
          }
          expect(received.slice(given.length)).not.toMatch(blankLineAtEnd);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("puts whole events together up to what is enough", () => {
    fc.assert(
      fc.property(eventDocument, fc.nat(500), ({ bytes, cuts }, enough) => {
        const chunks = text(split(cutAt(bytes, cuts), enough));
        expect(chunks.join("")).toBe(bytes.toString("latin1"));
        for (const chunk of chunks.slice(0, -1)) expect(chunk).toMatch(blankLineAtEnd);
      }),
      { numRuns: 2000 },
    );
  });

  it("copies nothing of an event that came in one read", () => {
    const read = Buffer.from("data: 1\n\ndata: 2\n\n");
    for (const event of split([read])) expect(event.buffer).toBe(read.buffer);
  });

  it("does not slow down over a long event in very many reads", () => {
    const event = Buffer.from(`data: ${"x".repeat(200_000)}\n\n`);
    const before = process.cpuUsage();
    expect(split(cutAt(event, [...event.keys()]))).toEqual([event]);
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(3_000);
  });
});
