/** Names and arguments of tool calls. */
import {
  args,
  calls,
  chunk,
  done,
  look,
  type OddAnswer,
  role,
  tool,
  usage,
  used,
  whole,
} from "./odd-answer.ts";

export const toolCallContents: OddAnswer[] = [
  {
    name: "the name with every piece",
    events: [role, tool(look("")), tool(look('{"q":')), tool(look('"a"}')), calls, usage, done],
    gets: used,
    stock: true,
  },
  {
    name: "the name in pieces",
    events: [
      role,
      tool(look("", { function: { name: "lo", arguments: "" } })),
      tool({ index: 0, function: { name: "ok", arguments: '{"q":"a"}' } }),
      calls,
      usage,
      done,
    ],
    gets: used,
  },
  {
    name: "the whole call again at its end",
    events: [
      role,
      tool(look("")),
      tool(args('{"q":"a"}')),
      tool(look('{"q":"a"}')),
      calls,
      usage,
      done,
    ],
    gets: used,
  },
  {
    name: "arguments as an object",
    events: [role, tool(look({ q: "a" })), calls, usage, done],
    gets: used,
  },
  {
    name: "arguments as an empty list",
    events: [role, tool(look([])), calls, usage, done],
    gets: { ...used, tools: ["look({})"] },
    stock: true,
  },
  {
    name: "no arguments",
    events: [role, tool(look("")), calls, usage, done],
    gets: { ...used, tools: ["look({})"] },
    stock: true,
  },
  {
    name: "arguments that are null",
    events: [role, tool(look("null")), calls, usage, done],
    gets: { ...used, tools: ["look({})"] },
  },
  {
    name: "arguments in quotes",
    events: [role, tool(look('"{\\"q\\"')), tool(args(':\\"a\\"}"')), calls, usage, done],
    gets: used,
  },
  {
    name: "arguments with a line break in a text",
    events: [role, tool(look('{"q":"a\nb"}')), calls, usage, done],
    gets: { ...used, tools: ['look({"q":"a\\nb"})'] },
    stock: true,
  },
  {
    name: "arguments that are no JSON",
    events: [role, tool(look("{q:a}}")), calls, usage, done],
    gets: { fails: /look with arguments that are no JSON/ },
  },
  {
    name: "arguments that are cut for their length",
    events: [role, tool(look('{"q":"a')), chunk({}, "length"), usage, done],
    gets: { fails: /cut off for their length/ },
  },
  {
    name: "a tool call outside of `function`",
    events: [
      role,
      tool({ index: 0, id: "c1", name: "look", arguments: '{"q":"a"}' }),
      calls,
      usage,
      done,
    ],
    gets: used,
  },
  {
    name: "a tool call that is no list",
    events: [role, chunk({ tool_calls: look('{"q":"a"}') }), calls, usage, done],
    gets: used,
  },
  {
    name: "a function call of the time before tools",
    events: [
      role,
      chunk({ function_call: { name: "look", arguments: "" } }),
      chunk({ function_call: { arguments: '{"q":"a"}' } }),
      chunk({}, "function_call"),
      usage,
      done,
    ],
    gets: used,
  },
  {
    name: "a tool call with a finish reason in one chunk",
    events: [
      chunk({ role: "assistant", content: null, tool_calls: [look('{"q":"a"}')] }, "tool_calls"),
      usage,
      done,
    ],
    gets: used,
    stock: true,
  },
  {
    name: "whole arguments as an object",
    body: whole({ tool_calls: [look({ q: "a" })] }, "tool_calls"),
    gets: used,
  },
  {
    name: "a whole tool call without an id",
    body: whole({ tool_calls: [look('{"q":"a"}', { id: "" })] }, "tool_calls"),
    gets: used,
  },
  {
    name: "whole arguments that are no JSON",
    body: whole({ tool_calls: [look("{q:a}}")] }, "tool_calls"),
    gets: { fails: /no JSON/ },
  },
];
