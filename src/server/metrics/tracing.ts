/**
 * Runs as OpenTelemetry traces: a span for the run, and below it one for each chain, model, tool and
 * retriever, named by the conventions for generative AI. No message, prompt or payload is in them.
 * Spans go to whatever SDK the process has registered; without one, nothing is made or kept. A run is a
 * trace of its own, as it may outlive the request that began it and have readers of other requests, so
 * it is linked to that request's; what a bot's code makes itself (queries, HTTP) is in the run's trace.
 */
import {
  type Attributes,
  type Context,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import type { SpanEvent } from "../../bots/run/run-bot.ts";
import type { RunObserver } from "../../runs/observer.ts";

interface TracedRun {
  readonly span: Span;
  readonly context: Context;
  readonly open: Map<string, { readonly span: Span; readonly context: Context }>;
}

interface Opening {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
}

/** @param provider default: the one that the process has registered, looked up for each run */
export function traceRuns(provider?: TracerProvider): RunObserver {
  const traced = new Map<string, TracedRun>();
  return {
    runStarted: ({ runId, conversationId, botId }) => {
      const active = context.active();
      const request = trace.getSpanContext(active);
      const span = (provider ?? trace.getTracerProvider()).getTracer("langwire").startSpan(
        `invoke_agent ${botId}`,
        {
          kind: SpanKind.INTERNAL,
          root: true,
          links: request === undefined ? [] : [{ context: request }],
          attributes: {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.id": botId,
            "gen_ai.conversation.id": conversationId,
            "langwire.run.id": runId,
          },
        },
        active,
      );
      // One that is not sampled is kept all the same: what the bot calls is not to be sampled either.
      if (!trace.isSpanContextValid(span.spanContext())) return;
      traced.set(runId, { span, context: trace.setSpan(active, span), open: new Map() });
    },
    withinRun: ({ runId }, botCode) => {
      const run = traced.get(runId);
      return run === undefined ? botCode() : context.with(run.context, botCode);
    },
    spanEvent: ({ runId }, event) => {
      const run = traced.get(runId);
      if (run !== undefined) follow(run, event, provider);
    },
    runEnded: ({ runId }, { status, usage, error, providerCalls }) => {
      const run = traced.get(runId);
      if (run === undefined) return;
      traced.delete(runId);
      // A run that was stopped leaves spans open.
      for (const { span } of run.open.values()) span.end();
      run.span.setAttributes({
        "langwire.run.status": status,
        ...(providerCalls !== undefined && { "langwire.provider_calls": providerCalls }),
        ...usageAttributes(usage),
      });
      if (error !== undefined) markFailed(run.span, error.code);
      run.span.end();
    },
  };
}

function follow(run: TracedRun, event: SpanEvent, provider: TracerProvider | undefined): void {
  const opening = openingOf(event);
  if (opening !== undefined && "at" in event) {
    const parentId = "parentSpanId" in event ? event.parentSpanId : undefined;
    const parent = (parentId !== undefined && run.open.get(parentId)) || run;
    const { name, kind, attributes } = opening;
    const tracer = (provider ?? trace.getTracerProvider()).getTracer("langwire");
    const span = tracer.startSpan(name, { kind, attributes }, parent.context);
    run.open.set(event.spanId, { span, context: trace.setSpan(parent.context, span) });
    return;
  }
  const span = run.open.get(event.spanId)?.span;
  if (span === undefined) return;
  switch (event.type) {
    case "llmEnd":
      span.setAttributes(usageAttributes(event.usage));
      if (event.finishReason !== undefined) {
        span.setAttribute("gen_ai.response.finish_reasons", [event.finishReason]);
      }
      break;
    case "error":
      markFailed(span, event.code);
      break;
    case "reset":
      span.addEvent("langwire.reset");
      return;
    case "chainEnd":
    case "toolEnd":
    case "retrieverEnd":
      break;
    default:
      return;
  }
  span.end();
  run.open.delete(event.spanId);
}

function openingOf(event: SpanEvent): Opening | undefined {
  switch (event.type) {
    case "chainStart":
      return { name: event.name, kind: SpanKind.INTERNAL, attributes: {} };
    case "llmStart": {
      const model = event.model ?? event.name;
      return {
        name: `chat ${model}`,
        kind: SpanKind.CLIENT,
        attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": model },
      };
    }
    case "toolStart":
      return {
        name: `execute_tool ${event.name}`,
        kind: SpanKind.INTERNAL,
        attributes: {
          "gen_ai.operation.name": "execute_tool",
          "gen_ai.tool.name": event.name,
          ...(event.toolCallId !== undefined && { "gen_ai.tool.call.id": event.toolCallId }),
        },
      };
    case "retrieverStart":
      return { name: `retrieve ${event.name}`, kind: SpanKind.CLIENT, attributes: {} };
    default:
      return undefined;
  }
}

function usageAttributes(
  usage: { readonly inputTokens: number; readonly outputTokens: number } | undefined,
): Attributes {
  if (usage === undefined) return {};
  return {
    "gen_ai.usage.input_tokens": usage.inputTokens,
    "gen_ai.usage.output_tokens": usage.outputTokens,
  };
}

function markFailed(span: Span, code: string): void {
  span.setAttribute("error.type", code);
  span.setStatus({ code: SpanStatusCode.ERROR });
}
