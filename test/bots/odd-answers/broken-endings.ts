/** Ends of answers that broke off, or that are none. */
import {
  calls,
  chunk,
  cut,
  done,
  hello,
  look,
  type OddAnswer,
  role,
  tool,
  usage,
} from "./odd-answer.ts";

export const brokenEndings: OddAnswer[] = [
  { name: "a clean end in the middle", events: [role, ...hello], gets: cut },
  {
    name: "a clean end in the arguments of a tool",
    events: [role, tool(look('{"q":'))],
    gets: cut,
  },
  {
    name: "a reset in the middle",
    events: [role, ...hello],
    ending: "reset",
    gets: { fails: /terminated|broke off/ },
    stock: true,
  },
  { name: "nothing at all", events: [], gets: { fails: /is empty/ } },
  { name: "[DONE] alone", events: [done], gets: { fails: /is empty/ } },
  { name: "a role and [DONE]", events: [role, done], gets: { fails: /is empty/ } },
  ...["error", "network_error", "insufficient_system_resource", "abort"].map(
    (reason): OddAnswer => ({
      name: `the finish reason ${reason}`,
      events: [role, ...hello, chunk({}, reason), usage, done],
      gets: { fails: new RegExp(reason) },
    }),
  ),
  {
    name: "a tool call that Gemini could not read",
    events: [chunk({ role: "assistant" }, "function_call_filter: MALFORMED_FUNCTION_CALL"), done],
    gets: { fails: /MALFORMED/ },
  },
  {
    name: "a finish reason for a tool call that never came",
    events: [role, calls, usage, done],
    gets: { fails: /there is none/ },
  },
  {
    name: "an event that was cut, and a clean end",
    events: [role, ...hello, 'data: {"id":"chatc'],
    gets: { fails: /not JSON/ },
  },
];
