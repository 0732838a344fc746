/** Answers as OpenAI sends them. */
import {
  args,
  calls,
  chunk,
  done,
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
  usedBoth,
  whole,
} from "./odd-answer.ts";

export const regular: OddAnswer[] = [
  {
    name: "a regular answer",
    events: [role, ...hello, stop, usage, done],
    gets: { ...said, finish: "stop" },
    stock: true,
  },
  {
    name: "a regular tool call",
    events: [role, tool(look("")), tool(args('{"q":')), tool(args('"a"}')), calls, usage, done],
    gets: { ...used, finish: "tool_calls" },
    stock: true,
  },
  {
    name: "two regular tool calls",
    events: [
      role,
      tool(look('{"q":"a"}')),
      tool(look('{"q":"b"}', { index: 1, id: "c2" })),
      calls,
      usage,
      done,
    ],
    gets: usedBoth,
    stock: true,
  },
  {
    name: "text before a tool call",
    events: [role, text("I look."), tool(look('{"q":"a"}')), calls, usage, done],
    gets: { ...used, text: "I look." },
    stock: true,
  },
  {
    name: "an empty last word",
    events: [role, stop, usage, done],
    gets: { text: "", tokens: 18, finish: "stop" },
    stock: true,
  },
  {
    name: "an answer cut for its length",
    events: [role, ...hello, chunk({}, "length"), usage, done],
    gets: { ...said, finish: "length" },
    stock: true,
  },
  {
    name: "a regular whole answer",
    body: whole({ content: "Hello" }),
    gets: { ...said, finish: "stop" },
  },
  {
    name: "a regular whole tool call",
    body: whole({ content: null, tool_calls: [look('{"q":"a"}')] }, "tool_calls"),
    gets: used,
  },
];
