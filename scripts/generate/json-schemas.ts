/** JSON Schema of every message, as definitions that refer to each other. */
import { z } from "zod";
import {
  botInfo,
  conversation,
  conversationPage,
  message,
  messagePage,
} from "../../src/protocol/conversations.ts";
import { errorCode, errorTable, failure } from "../../src/protocol/errors.ts";
import { chatEvent, usage } from "../../src/protocol/events.ts";
import {
  cancelInput,
  conversationInput,
  createConversationInput,
  followInput,
  listInput,
  messagesInput,
  renameInput,
  sendInput,
  watchInput,
} from "../../src/protocol/inputs.ts";
import { protocolLimits } from "../../src/protocol/limits.ts";
import { part } from "../../src/protocol/parts.ts";
import { eventSummaries } from "./event-summaries.ts";
import { botList, cancelled, type Procedure } from "./procedures.ts";

export type JsonSchema = z.core.JSONSchema.BaseSchema;

const named: Record<string, z.ZodType> = {
  chatEvent,
  usage,
  failure,
  errorCode,
  followInput,
  sendInput,
  watchInput,
  cancelInput,
  cancelled,
  createConversationInput,
  conversationInput,
  renameInput,
  listInput,
  messagesInput,
  conversation,
  conversationPage,
  message,
  messagePage,
  part,
  botInfo,
  botList,
};

/** Any JSON value: the one schema that zod writes as a recursion, which readers need not follow. */
const anyJson = "json";
const zodsShared = /^#\/\$defs\/__shared#\/\$defs\/schema\d+$/;

/** zod spells out uuids and times as expressions of hundreds of characters beside their format. */
const formatsThatSuffice = new Set(["uuid", "date-time"]);

/** @param refTo where a definition of that name is found from anywhere in the document */
export function jsonDefinitions(refTo: (name: string) => string): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string; description?: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  for (const option of chatEvent.options) {
    const type = option.shape.type.value;
    registry.add(option, { id: type, description: eventSummaries[type] });
  }
  const { schemas } = z.toJSONSchema(registry, {
    // What is written by a newer version may have fields that an older reader does not know.
    io: "input",
    uri: (id) => `#/$defs/${id}`,
    override: ({ jsonSchema }) => {
      if (formatsThatSuffice.has(jsonSchema.format ?? "")) delete jsonSchema.pattern;
    },
  });
  const { __shared: shared, ...definitions } = schemas;
  assertOnlyJson(shared?.$defs ?? {});
  const all = { ...definitions, [anyJson]: { description: "Any JSON value." } };
  return Object.fromEntries(
    Object.entries(all).map(([name, schema]) => {
      const { $schema, $id, id, ...rest } = schema as JsonSchema & { id?: string };
      return [name, withRefs(rest, refTo)];
    }),
  );
}

/** The whole of `schemas.json`. */
export function jsonSchemaDocument(procedures: readonly Procedure[]) {
  const refOf = (schema: z.ZodType) => ({ $ref: `#/$defs/${schemaName(schema)}` });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Langwire: every message",
    procedures: Object.fromEntries(
      procedures.map(({ path, kind, summary, input, output }) => [
        path,
        {
          kind,
          summary,
          ...(input === undefined ? {} : { input: refOf(input) }),
          output: refOf(output),
        },
      ]),
    ),
    errors: errorTable,
    limits: protocolLimits,
    $defs: jsonDefinitions((name) => `#/$defs/${name}`),
  };
}

/** The name of a procedure's schema among the definitions. */
export function schemaName(schema: z.ZodType): string {
  const found = Object.entries(named).find(([, candidate]) => candidate === schema);
  if (found === undefined) throw new Error("a procedure's schema has no name");
  return found[0];
}

function withRefs(value: unknown, refTo: (name: string) => string): JsonSchema {
  return JSON.parse(JSON.stringify(value), (key, inner) => {
    if (key !== "$ref") return inner;
    const ref = String(inner);
    return refTo(zodsShared.test(ref) ? anyJson : ref.slice("#/$defs/".length));
  });
}

function assertOnlyJson(shared: Record<string, JsonSchema>): void {
  for (const [name, schema] of Object.entries(shared)) {
    const types = (schema.anyOf as JsonSchema[] | undefined)?.map(({ type }) => type).join();
    if (types !== "string,number,boolean,null,array,object") {
      throw new Error(`${name} is shared, but is not any JSON value`);
    }
  }
}
