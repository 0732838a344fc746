/** Where reasoning stands. */
import {
  chunk,
  done,
  hello,
  type OddAnswer,
  role,
  said,
  stop,
  text,
  thought,
  usage,
  whole,
} from "./odd-answer.ts";

export const reasoning: OddAnswer[] = [
  {
    name: "reasoning_content",
    events: [role, chunk({ reasoning_content: "hm" }), ...hello, stop, usage, done],
    gets: thought,
    stock: true,
  },
  {
    name: "reasoning_content without a role",
    events: [chunk({ reasoning_content: "hm" }), ...hello, stop, usage, done],
    gets: thought,
  },
  {
    name: "reasoning",
    events: [role, chunk({ content: "", reasoning: "hm" }), ...hello, stop, usage, done],
    gets: thought,
  },
  {
    name: "reasoning in three fields",
    events: [
      role,
      chunk({
        reasoning_content: "hm",
        reasoning: "hm",
        reasoning_details: [{ type: "reasoning.text", text: "hm" }],
      }),
      ...hello,
      stop,
      usage,
      done,
    ],
    gets: thought,
    stock: true,
  },
  {
    name: "reasoning_details alone",
    events: [
      role,
      chunk({
        reasoning_details: [
          { type: "reasoning.summary", summary: "h" },
          { type: "reasoning.text", text: "m" },
          { type: "reasoning.encrypted", data: "x" },
        ],
      }),
      ...hello,
      stop,
      usage,
      done,
    ],
    gets: thought,
  },
  {
    name: "reasoning and text in one chunk",
    events: [chunk({ role: "assistant", content: "Hello", reasoning: "hm" }), stop, usage, done],
    gets: thought,
  },
  {
    name: "reasoning in parts of the content",
    events: [
      role,
      text([
        { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
        { type: "text", text: "Hello" },
      ]),
      stop,
      usage,
      done,
    ],
    gets: thought,
  },
  {
    name: "a thinking field",
    events: [role, chunk({ thinking: "hm" }), ...hello, stop, usage, done],
    gets: thought,
  },
  {
    name: "a null reasoning in every chunk",
    events: [
      chunk({ role: "assistant", content: "Hel", reasoning: null, reasoning_content: null }),
      chunk({ content: "lo", reasoning: null, reasoning_content: null }),
      stop,
      usage,
      done,
    ],
    gets: said,
    stock: true,
  },
  {
    name: "a whole answer with reasoning",
    body: whole({ content: "Hello", reasoning: "hm" }),
    gets: thought,
  },
];
