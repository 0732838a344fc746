/** Candidates beside the first, and bodies that are no answer. */
import { done, head, type OddAnswer, role, said, stop, text, usage, whole } from "./odd-answer.ts";

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
