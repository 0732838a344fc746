/** What one server-sent event says, by its bytes. */
import { expect, test } from "vitest";
import { readSseEvent } from "../../src/event-fetch/sse-event.ts";

const bom = "\uFEFF";

test.each<[string, string, { name?: string; data: string } | undefined]>([
  ["one line of data", "data: a\n\n", { data: "a" }],
  ["data without a space", "data:a\n\n", { data: "a" }],
  ["data with two spaces", "data:  a\n\n", { data: " a" }],
  ["data that is empty", "data: \n\n", { data: "" }],
  ["data without a colon", "data\n\n", { data: "" }],
  ["lines of data", "data: a\ndata: b\n\n", { data: "a\nb" }],
  ["lines that end with CRLF", "data: a\r\ndata: b\r\n\r\n", { data: "a\nb" }],
  ["lines that end with CR", "data: a\rdata: b\r\r", { data: "a\nb" }],
  ["a CR in what looks plain", "data: a\rdata: b\n\n", { data: "a\nb" }],
  ["a line that was cut off at the end", "event: done\ndata: é", { name: "done", data: "é" }],
  ["a name and data", "event: delta\ndata: a\n\n", { name: "delta", data: "a" }],
  ["a name that is said twice", "event: a\nevent: b\ndata: c\n\n", { name: "b", data: "c" }],
  ["a name alone", "event: ping\n\n", { name: "ping", data: "" }],
  ["a name that is empty", "event:\n\n", undefined],
  ["a comment", ": data: a\n\n", undefined],
  ["an id and a retry", "id: 1\nretry: 10\n\n", undefined],
  ["a field that only begins like data", "database: a\n\n", undefined],
  ["a blank line", "\n", undefined],
  ["nothing", "", undefined],
  ["a byte order mark before the field", `${bom}data: a\n\n`, { data: "a" }],
  ["byte order marks before lines", `${bom}event: b\n${bom}data: a\n\n`, { name: "b", data: "a" }],
  ["a byte order mark in the data", `data: ${bom}a\n\n`, { data: `${bom}a` }],
  ["colons in the data", 'data: {"a":": b"}\n\n', { data: '{"a":": b"}' }],
])("%s", (_what, text, said) => {
  expect(readSseEvent(Buffer.from(text))).toEqual(said && { name: undefined, ...said });
});
