/** Candidates beside the first, and bodies that are no answer. */
import { done, head, type OddAnswer, role, said, stop, text, usage, whole } from "./odd-answer.ts";

const at = (index: number | string, delta: object, finish: string | null = null) => ({
  ...head,
  choices: [{ index, delta, finish_reason: finish }],
});

export const noAnswers: OddAnswer[] = [
  {
    name: "a second candidate",
    events: [
      role,
      text("Hel"),
      {
        ...head,
        choices: [{ index: 1, delta: { role: "assistant", content: "Bye" }, finish_reason: null }],
      },
      text("lo"),
      { ...head, choices: [{ index: 1, delta: {}, finish_reason: "length" }] },
      stop,
      usage,
      done,
    ],
    gets: { ...said, finish: "stop" },
  },
  {
    name: "two candidates in a chunk",
    events: [
      {
        ...head,
        choices: [
          { index: 1, delta: { content: "Bye" } },
          { index: 0, delta: { content: "?" } },
        ],
      },
      {
        ...head,
        choices: [
          { index: 0, delta: {}, finish_reason: "length" },
          { index: 1, delta: {}, finish_reason: "stop" },
        ],
      },
      usage,
      done,
    ],
    gets: { text: "Bye", tokens: 18, finish: "stop" },
  },
  {
    name: "a second candidate from the first word on, where two were asked for",
    request: { n: 2 },
    events: [
      at(0, { role: "assistant", content: "Hel" }),
      at(1, { role: "assistant", content: "By" }),
      at(0, { content: "lo" }),
      at(1, { content: "e" }),
      at(1, {}, "length"),
      at(0, {}, "stop"),
      usage,
      done,
    ],
    gets: { ...said, finish: "stop" },
  },
  {
    name: "a second candidate behind the first",
    events: [
      at(0, { content: "Hello" }),
      at(0, {}, "stop"),
      at(1, { content: "Bye" }),
      at(1, {}, "length"),
      usage,
      done,
    ],
    gets: { ...said, finish: "stop" },
  },
  {
    name: "an index that is a text",
    events: [
      at("0", { role: "assistant", content: "Hel" }),
      text("lo"),
      at("0", {}, "stop"),
      usage,
      done,
    ],
    gets: { ...said, finish: "stop" },
  },
  {
    name: "an index that is no number",
    events: [
      at("a", { role: "assistant", content: "Hel" }),
      at("a", { role: "assistant", content: "l" }),
      at("a", { content: "o" }),
      at("a", { role: "assistant" }, "stop"),
      usage,
      done,
    ],
    gets: { ...said, finish: "stop" },
  },
  {
    name: "an index that is a text, and a second candidate",
    events: [
      at("0", { role: "assistant", content: "Hel" }),
      at("0", { content: "l" }),
      at("1", { role: "assistant", content: "Bye" }),
      at("0", { content: "o" }),
      at("0", {}, "stop"),
      usage,
      done,
    ],
    gets: { ...said, finish: "stop" },
  },
  ...["role", "content"].map(
    (with_): OddAnswer => ({
      name: `an index that grows, and a ${with_} with every piece`,
      events: [
        at(0, { role: "assistant", content: "H" }),
        ...["e", "l", "l", "o"].map((content, index) =>
          at(index + 1, with_ === "role" ? { role: "assistant", content } : { content }),
        ),
        at(5, {}, "stop"),
        usage,
        done,
      ],
      gets: { ...said, finish: "stop" },
    }),
  ),
  {
    name: "an index that grows from the second word on",
    events: [
      role,
      at(0, { content: "He" }),
      at(1, { content: "l" }),
      at(2, { content: "lo" }),
      at(3, {}, "stop"),
      usage,
      done,
    ],
    gets: { ...said, finish: "stop" },
  },
  {
    name: "a candidate without an index",
    events: [
      { ...head, choices: [{ delta: { content: "Hello" } }] },
      { ...head, choices: [{ delta: {}, finish_reason: "stop" }] },
      usage,
      done,
    ],
    gets: said,
  },
  {
    name: "a page",
    body: "<!doctype html><html><head><style>b{}</style></head><body><h1>Sign in</h1></body></html>",
    contentType: "text/html",
    gets: { fails: /Sign in/ },
  },
  {
    name: "a page in the middle",
    events: [role, text("Hel"), "<html><body>502 Bad Gateway</body></html>"],
    gets: { fails: /502 Bad Gateway/ },
  },
  {
    name: "words",
    body: "upstream connect error",
    contentType: "text/plain",
    gets: { fails: /upstream connect error/ },
  },
  {
    name: "another protocol",
    body: { model: "m", message: { role: "assistant", content: "Hello" }, done: true },
    gets: { fails: /has no/ },
  },
  {
    name: "no choice",
    body: whole({}, "stop", { choices: [] }),
    gets: { fails: /has no|is empty/ },
  },
];
