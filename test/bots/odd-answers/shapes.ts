/** Answers of another shape. */
import {
  chunk,
  cut,
  done,
  head,
  hello,
  type OddAnswer,
  role,
  said,
  stop,
  text,
  usage,
  whole,
} from "./odd-answer.ts";

export const otherShapes: OddAnswer[] = [
  {
    name: "content in parts",
    events: [
      role,
      text([{ type: "text", text: "Hel" }]),
      text([{ type: "text", text: "lo" }]),
      stop,
      usage,
      done,
    ],
    gets: said,
  },
  {
    name: "content that is one part",
    events: [role, text({ type: "text", text: "Hello" }), stop, usage, done],
    gets: said,
  },
  {
    name: "a refusal",
    events: [
      chunk({ role: "assistant", content: null, refusal: "" }),
      chunk({ refusal: "I " }),
      chunk({ refusal: "can't." }),
      stop,
      usage,
      done,
    ],
    gets: { text: "I can't.", tokens: 18 },
  },
  {
    name: "a whole refusal",
    body: whole({ content: null, refusal: "I can't." }),
    gets: { text: "I can't.", tokens: 18 },
  },
  {
    name: "text in place of a delta",
    events: [
      { ...head, choices: [{ index: 0, text: "Hel" }] },
      { ...head, choices: [{ index: 0, text: "lo", finish_reason: "stop" }] },
      usage,
      done,
    ],
    gets: said,
  },
  {
    name: "content that is a number",
    events: [role, text(1), text(0), text([{ type: "text", text: 5 }]), stop, usage, done],
    gets: { ...said, text: "105" },
  },
  {
    name: "a delta that is a text",
    events: [
      { ...head, choices: [{ index: 0, delta: "Hel" }] },
      { ...head, choices: [{ index: 0, delta: "lo" }] },
      stop,
      usage,
      done,
    ],
    gets: said,
  },
  {
    name: "a whole message that is a text",
    body: whole({}, "stop", { choices: [{ index: 0, message: "Hello", finish_reason: "stop" }] }),
    gets: said,
  },
  {
    name: "content in parts of parts",
    events: [role, text([[{ type: "text", text: "Hel" }], "lo"]), stop, usage, done],
    gets: said,
  },
  {
    name: "content that is false where there is none",
    events: [text(false), ...hello, text(false), stop, usage, done],
    gets: said,
  },
  {
    name: "whole content that is a number",
    body: whole({ content: 105 }),
    gets: { ...said, text: "105" },
  },
  {
    name: "messages in place of deltas, each with all that was said",
    events: [
      whole({ content: "H", reasoning_content: "h" }, null),
      whole({ content: "Hel", reasoning_content: "hm" }, null),
      whole({ content: "Hello", reasoning_content: "hm" }, null),
      whole({ content: "Hello" }),
      done,
    ],
    gets: { ...said, reasoning: "hm" },
  },
  {
    name: "messages in place of deltas, each with what is new",
    events: [
      whole({ content: "Hel" }, null, { usage: undefined }),
      whole({ content: "lo" }, null, { usage: undefined }),
      whole({ content: "" }),
      done,
    ],
    gets: said,
  },
  {
    name: "messages in place of deltas, and the connection closes in the middle",
    events: [
      whole({ content: "Hel" }, null, { usage: undefined }),
      whole({ content: "Hello" }, null, { usage: undefined }),
    ],
    gets: cut,
  },
  {
    name: "a message in place of a delta",
    events: [whole({ content: "Hello" }), done],
    gets: said,
  },
  {
    name: "the whole message behind its deltas",
    events: [role, ...hello, whole({ content: "Hello" }), done],
    gets: said,
    stock: true,
  },
  {
    name: "whole content in parts",
    body: whole({
      content: [
        { type: "text", text: "Hel" },
        { type: "text", text: "lo" },
      ],
    }),
    gets: said,
  },
  {
    name: "a whole answer that calls itself a stream of events",
    body: whole({ content: "Hello" }),
    contentType: "text/event-stream",
    gets: said,
  },
  {
    name: "a whole answer over lines, with blank ones",
    body: JSON.stringify(whole({ content: "Hello" }), null, 2).replace('"model"', '\n\n"model"'),
    contentType: "application/json",
    gets: said,
  },
  {
    name: "a whole answer without a finish reason",
    body: whole({ content: "Hello" }, null),
    gets: { ...said, finish: "stop" },
  },
  {
    name: "JSON by lines",
    body: [role, ...hello, stop, usage].map((one) => JSON.stringify(one)).join("\n"),
    contentType: "application/x-ndjson",
    gets: said,
  },
  {
    name: "events that call themselves text",
    events: [role, ...hello, stop, usage, done],
    contentType: "text/plain",
    gets: said,
    stock: true,
  },
  {
    name: "events without blank lines between them",
    events: [
      `${[role, ...hello].map((one) => `data: ${JSON.stringify(one)}`).join("\n")}\n\n`,
      stop,
      usage,
      done,
    ],
    gets: said,
  },
  {
    name: "[DONE] in quotes",
    events: [role, ...hello, stop, usage, 'data: "[DONE]"\n\n'],
    gets: said,
    stock: true,
  },
  {
    name: "an image and no text",
    events: [
      role,
      chunk({ images: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }] }),
      stop,
      usage,
      done,
    ],
    gets: { tokens: 18, finish: "stop" },
  },
];
