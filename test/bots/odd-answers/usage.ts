/** Where the count of tokens stands, and how it is written. */
import {
  chunk,
  counts,
  done,
  head,
  hello,
  type OddAnswer,
  role,
  said,
  stop,
  usage,
  whole,
} from "./odd-answer.ts";

export const counting: OddAnswer[] = [
  {
    name: "the usage in the finish chunk of a stream without a role",
    events: [...hello, chunk({}, "stop", { usage: counts }), done],
    gets: said,
  },
  {
    name: "the usage in the finish chunk and once more",
    events: [role, ...hello, chunk({}, "stop", { usage: counts }), usage, done],
    gets: said,
    stock: true,
  },
  {
    name: "a usage that grows with every chunk",
    events: [
      chunk({ role: "assistant", content: "Hel" }, null, {
        usage: { ...counts, completion_tokens: 1, total_tokens: 12 },
      }),
      chunk({ content: "lo" }, null, {
        usage: { ...counts, completion_tokens: 2, total_tokens: 13 },
      }),
      chunk({}, "stop", { usage: counts }),
      done,
    ],
    gets: said,
    stock: true,
  },
  {
    name: "a usage without a total",
    events: [
      role,
      ...hello,
      stop,
      { ...usage, usage: { prompt_tokens: 11, completion_tokens: 7 } },
      done,
    ],
    gets: said,
  },
  {
    name: "a usage in other words",
    events: [
      role,
      ...hello,
      stop,
      { ...usage, usage: { input_tokens: 11, output_tokens: 7 } },
      done,
    ],
    gets: said,
  },
  {
    name: "Groq's usage",
    events: [role, ...hello, chunk({}, "stop", { x_groq: { id: "r", usage: counts } }), done],
    gets: said,
  },
  {
    name: "Moonshot's usage",
    events: [
      role,
      ...hello,
      { ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop", usage: counts }] },
      done,
    ],
    gets: said,
  },
  { name: "no usage", events: [role, ...hello, stop, done], gets: { text: "Hello" }, stock: true },
  {
    name: "a whole usage without a total",
    body: whole({ content: "Hello" }, "stop", {
      usage: { prompt_tokens: 11, completion_tokens: 7 },
    }),
    gets: said,
  },
];
