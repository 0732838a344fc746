/** The rules of the protocol's order, each switched off; sums of counts. */
import type { Guard } from "../guard.ts";

const order = ["test/protocol/order.test.ts"];
const usage = ["test/protocol/usage.test.ts"];

export const protocolGuards: readonly Guard[] = [
  {
    slip: "something comes after the end",
    file: "src/protocol/order.ts",
    code: 'if (state.phase === "ended") throw new OrderViolation(event, "comes after runEnd");',
    becomes: 'if (state.phase === "ended") return state;',
    tests: order,
  },
  {
    slip: "something comes before the start",
    file: "src/protocol/order.ts",
    code: '    if (event.type !== "runStart") throw new OrderViolation(event, "comes before runStart");\n',
    becomes: "",
    tests: order,
  },
  {
    slip: "another run's event comes in between",
    file: "src/protocol/order.ts",
    code: "if (event.runId !== state.runId) {",
    becomes: 'if (event.runId === "") {',
    tests: order,
  },
  {
    slip: "a run starts twice",
    file: "src/protocol/order.ts",
    code: '      throw new OrderViolation(event, "comes twice");\n',
    becomes: "      return state;\n",
    tests: order,
  },
  {
    slip: "a completed run leaves spans open",
    file: "src/protocol/order.ts",
    code: 'event.status === "completed" && state.open.size > 0',
    becomes: 'event.status === "completed" && state.open.size < 0',
    tests: order,
  },
  {
    slip: "a span opens twice",
    file: "src/protocol/order.ts",
    code: "state.open.has(event.spanId) || state.closed",
    becomes: "state.closed",
    tests: order,
  },
  {
    slip: "a span opens again",
    file: "src/protocol/order.ts",
    code: " || state.closed.has(event.spanId)) {\n    throw",
    becomes: ") {\n    throw",
    tests: order,
  },
  {
    slip: "a span opens in a parent that is not open",
    file: "src/protocol/order.ts",
    code: "event.parentSpanId !== undefined && !state.open",
    becomes: 'event.parentSpanId === "" && !state.open',
    tests: order,
  },
  {
    slip: "a span ends that is not open",
    file: "src/protocol/order.ts",
    code: "function closed(state: Running, event: SpanEvent): Running {\n",
    becomes:
      "function closed(state: Running, event: SpanEvent): Running {\n  if (!state.open.has(event.spanId)) return state;\n",
    tests: order,
  },
  {
    slip: "a span ends as one of another kind",
    file: "src/protocol/order.ts",
    code: "if (openedBy !== expected) {",
    becomes: "if (expected === undefined) {",
    tests: order,
  },
  {
    slip: "a span fails as one of another kind",
    file: "src/protocol/order.ts",
    code: 'const expected = event.type === "error" ?',
    becomes: 'const expected = event.type === "error" ? openedBy : event.type === "reset" ?',
    tests: order,
  },
  {
    slip: "a span that is not open says something",
    file: "src/protocol/order.ts",
    code: "function spoken(state: Running, event: SpanEvent): void {\n",
    becomes:
      "function spoken(state: Running, event: SpanEvent): void {\n  if (!state.open.has(event.spanId)) return;\n",
    tests: order,
  },
  {
    slip: "a span says what only others may",
    file: "src/protocol/order.ts",
    code: "if (expected !== undefined && openedBy !== expected) {",
    becomes: "if (expected !== undefined && openedBy === undefined) {",
    tests: order,
  },
  {
    slip: "anything may be said after its span has ended",
    file: "src/protocol/order.ts",
    code: 'event.type === "reset" && state.closed',
    becomes: "state.closed",
    tests: order,
  },
  {
    slip: "what a span said cannot be taken back once it has failed",
    file: "src/protocol/order.ts",
    code: '  if (event.type === "reset" && state.closed.has(event.spanId)) return;\n',
    becomes: "",
    tests: order,
  },
  {
    slip: "counts that nobody knows become 0",
    file: "src/protocol/usage.ts",
    code: "    if (a[part] !== undefined || b[part] !== undefined) sum[part] = tokens;",
    becomes: "    sum[part] = tokens;",
    tests: usage,
  },
  {
    slip: "one count is added to another's",
    file: "src/protocol/usage.ts",
    code: "a.outputTokens + b.outputTokens",
    becomes: "a.outputTokens + b.inputTokens",
    tests: usage,
  },
  {
    slip: "a count is lost where the other is unknown",
    file: "src/protocol/usage.ts",
    code: "return a ?? b;",
    becomes: "return a && b;",
    tests: usage,
  },
];
