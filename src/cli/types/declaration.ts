/** The declaration of bots' types, for clients in another repository: it imports nothing. */
import type { Bot } from "../../bots/bot.ts";
import { key, SchemaTypes } from "./schema-types.ts";

const head = `/**
 * The types of a Langwire server's bots, for \`createClient<Bots>()\` and \`useChat<Bots, "id">\`.
 * Made by \`langwire types\`: it is made again, not edited.
 */
`;

export function declarationOf(bots: readonly Bot[]): string {
  const types = new SchemaTypes();
  const names = new Set<string>();
  const members = bots.map((bot) => {
    const { input, output, state } = bot.schemas;
    const name = uniqueName(bot.id, names);
    const channels = Object.entries(state ?? {}).map(([channel, schema]) => {
      const type = types.print(schema, uniqueName(`${name} ${channel}`, names));
      return `readonly ${key(channel)}: ${type};`;
    });
    const takes = bot.inputSchema && types.print(input, uniqueName(`${name} input`, names));
    const answers = bot.outputSchema && types.print(output, uniqueName(`${name} output`, names));
    const reports = channels.length === 0 ? "Record<never, never>" : block(channels);
    const fields = [
      `readonly input: ${takes ?? "undefined"};`,
      `readonly output: ${answers ?? "undefined"};`,
      `readonly state: ${reports};`,
    ];
    return `${comment(bot)}\nreadonly ${key(bot.id)}: ${block(fields)};`;
  });
  const declarations = types.declarations.map((declared) => `\n${declared}\n`).join("");
  return `${head}export type Bots = ${block(members)};\n${declarations}`;
}

/** Fields of an object's type, each on lines of its own. */
function block(fields: readonly string[]): string {
  return `{\n${fields.map((field) => `  ${field.replaceAll("\n", "\n  ")}\n`).join("")}}`;
}

const comment = ({ title, description }: Bot): string =>
  `/** ${`${title}. ${description}`.replaceAll("*/", "*\\/").replace(/\s+/g, " ").trim()} */`;

/** An identifier made of an id. */
function uniqueName(id: string, taken: Set<string>): string {
  const words = id.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  let name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  if (!/^[A-Za-z]/.test(name)) name = `Bot${name}`;
  while (taken.has(name)) name += "_";
  taken.add(name);
  return name;
}
