/** What servers send so that a connection does not look dead. */
import { done, head, hello, type OddAnswer, role, said, stop, text, usage } from "./odd-answer.ts";

export const heartbeats: OddAnswer[] = [
  {
    name: "an event without data",
    events: [role, text("Hel"), "event: ping\n\n", text("lo"), stop, usage, done],
    gets: said,
  },
  {
    name: "a named event with an object",
    events: [
      role,
      text("Hel"),
      'event: ping\ndata: {"type":"ping"}\n\n',
      text("lo"),
      stop,
      usage,
      done,
    ],
    gets: said,
    stock: true,
  },
  {
    name: "empty data",
    events: [role, text("Hel"), "data:\n\n", "data: \n\n", text("lo"), stop, usage, done],
    gets: said,
  },
  {
    name: "a comment",
    events: [": OPENROUTER PROCESSING\n\n", role, ": keep-alive\n\n", ...hello, stop, usage, done],
    gets: said,
    stock: true,
  },
  { name: "a word", events: [role, "data: ping\n\n", ...hello, stop, usage, done], gets: said },
  {
    name: "an object that says nothing",
    events: [role, "data: {}\n\n", ...hello, "data: null\n\n", stop, usage, done],
    gets: said,
  },
  {
    name: "Azure's filter, before the answer",
    events: [
      { ...head, choices: [], prompt_filter_results: [{ prompt_index: 0 }] },
      role,
      ...hello,
      stop,
      usage,
      done,
    ],
    gets: said,
    stock: true,
  },
];
