/** Ends of whole answers. */
import {
  chunk,
  done,
  head,
  hello,
  look,
  type OddAnswer,
  role,
  said,
  stop,
  text,
  tool,
  usage,
  used,
} from "./odd-answer.ts";

export const wholeEndings: OddAnswer[] = [
  {
    name: "[DONE] without a finish reason",
    events: [role, ...hello, usage, done],
    gets: { ...said, finish: "stop" },
  },
  {
    name: "[DONE] without a finish reason, after a tool call",
    events: [role, tool(look('{"q":"a"}')), usage, done],
    gets: { ...used, finish: "tool_calls" },
  },
  {
    name: "a finish reason without a delta",
    events: [
      role,
      ...hello,
      { ...head, choices: [{ index: 0, finish_reason: "stop" }] },
      usage,
      done,
    ],
    gets: { ...said, finish: "stop" },
  },
  {
    name: "finishReason",
    events: [
      role,
      ...hello,
      { ...head, choices: [{ index: 0, delta: {}, finishReason: "stop" }] },
      usage,
      done,
    ],
    gets: { ...said, finish: "stop" },
  },
  {
    name: "a finish reason inside of the delta",
    events: [role, ...hello, chunk({ finish_reason: "stop" }), usage, done],
    gets: { ...said, finish: "stop" },
  },
  {
    name: "a finish reason in every chunk",
    events: [
      chunk({ role: "assistant", content: "Hel" }, "stop"),
      chunk({ content: "lo" }, "stop"),
      usage,
      done,
    ],
    gets: { ...said, finish: "stop" },
    stock: true,
  },
  {
    name: "an empty finish reason until the last",
    events: [
      chunk({ role: "assistant", content: "Hel" }, ""),
      chunk({ content: "lo" }, ""),
      stop,
      usage,
      done,
    ],
    gets: { ...said, finish: "stop" },
    stock: true,
  },
  {
    name: "the text in the chunk with the finish reason",
    events: [role, text("Hel"), chunk({ content: "lo" }, "stop"), usage, done],
    gets: { ...said, finish: "stop" },
    stock: true,
  },
  { name: "no [DONE]", events: [role, ...hello, stop, usage], gets: said, stock: true },
  {
    name: "no [DONE] and no finish reason, but the usage, which comes last",
    events: [role, ...hello, usage],
    gets: said,
    stock: true,
  },
  {
    name: "a reset after the finish reason",
    events: [role, ...hello, stop],
    ending: "reset",
    gets: { text: "Hello" },
  },
  {
    name: "a reset after the usage",
    events: [role, ...hello, stop, usage],
    ending: "reset",
    gets: said,
  },
  {
    name: "a connection left open after finish and usage",
    events: [role, ...hello, stop, usage],
    ending: "open",
    gets: said,
  },
  {
    name: "a connection left open after the finish reason",
    events: [role, ...hello, stop],
    ending: "open",
    gets: { text: "Hello" },
  },
];
