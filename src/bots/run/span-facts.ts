/** Reads a span's name, model, visibility and role from what LangChain passes when it starts. */
import type { AgentRole, Span } from "./span-tree.ts";

type Tags = readonly string[] | undefined;

/** LangChain's and LangGraph's tag for their internal spans. */
export const isTaggedHidden = (tags: Tags): boolean => tags?.includes("langsmith:hidden") ?? false;

/** LangGraph's tag for models whose tokens are not for readers. */
export const isTaggedNostream = (tags: Tags): boolean =>
  tags?.some((tag) => tag === "nostream" || tag === "langsmith:nostream") ?? false;

export type Metadata = Readonly<Record<string, unknown>> | undefined;

/** @param serialized What the callbacks call `llm`, `chain`, `tool` … */
export function nameOf(
  serialized: unknown,
  runName: string | undefined,
  otherwise: string,
): string {
  return runName ?? lastOf(idOf(serialized)) ?? textField(serialized, "name") ?? otherwise;
}

export function modelOf(metadata: Metadata, extraParams: Metadata): string | undefined {
  const parameters = extraParams?.invocation_params;
  return (
    textField(metadata, "ls_model_name") ??
    textField(parameters, "model") ??
    textField(parameters, "model_name")
  );
}

/** How many answers the call asks for. */
export function candidatesOf(extraParams: Metadata): number {
  const parameters = extraParams?.invocation_params;
  const asked = numberField(parameters, "n") ?? numberField(parameters, "candidateCount");
  return asked ?? 1;
}

/** Whether the span runs inside what `createAgent` made: it says so to all that are below. */
export const isInAgent = (metadata: Metadata): boolean =>
  metadata?.ls_integration === "langchain_create_agent";

/** @param parentInAgent A graph inside an agent need not be an agent itself. */
export function agentRoleOf(
  serialized: unknown,
  metadata: Metadata,
  parentInAgent: boolean,
): AgentRole {
  const id = idOf(serialized);
  if (lastOf(id) === "AgentExecutor") return "reports";
  if (id[0] !== "langgraph") return undefined;
  return isInAgent(metadata) && !parentInAgent ? "agent" : "graph";
}

/** How LangGraph calls the span of a graph that was given no name. */
const namelessGraph = "LangGraph";

/**
 * By the graph: what runs in an agent that was passed its caller's config has the caller's name in
 * `metadata`. The outermost graph is named as its bot.
 */
export function agentNameOf(
  span: { name: string; agent?: AgentRole; parent: Span | undefined },
  metadata: Metadata,
): string | undefined {
  const { name, agent, parent } = span;
  const isGraph = agent === "graph" || agent === "agent";
  if (isGraph && parent !== undefined) return name === namelessGraph ? undefined : name;
  if (!isGraph && (parent?.isGraph || parent?.graph !== undefined)) return parent.agentName;
  return textField(metadata, "lc_agent_name");
}

function idOf(serialized: unknown): readonly unknown[] {
  const id: unknown =
    typeof serialized === "object" && serialized !== null
      ? Reflect.get(serialized, "id")
      : undefined;
  return Array.isArray(id) ? id : [];
}

function lastOf(id: readonly unknown[]): string | undefined {
  const last = id.at(-1);
  return typeof last === "string" ? last : undefined;
}

function textField(value: unknown, key: string): string | undefined {
  const found: unknown =
    typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  return typeof found === "string" && found !== "" ? found : undefined;
}

function numberField(value: unknown, key: string): number | undefined {
  const found: unknown =
    typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  return typeof found === "number" ? found : undefined;
}
