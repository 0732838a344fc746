/** A guide as its reader takes it: files to write and commands to type, in their order. */
import { commandsIn, samplesIn } from "../docs/samples.ts";

export type Step =
  /** A block with a title: ```ts title="bots.ts" */
  | { readonly type: "file"; readonly path: string; readonly text: string }
  | { readonly type: "command"; readonly line: string }
  /** A block of plain text below a command: what that prints. `…` stands for whatever differs. */
  | { readonly type: "printed"; readonly text: string };

/** @throws Error for a block of which a reader would not know what to do with it */
export async function stepsOf(document: string): Promise<Step[]> {
  const samples = await samplesIn(document);
  return samples.flatMap((sample): Step[] => {
    const { title: path, language, code: text, place } = sample;
    if (path !== undefined) return [{ type: "file", path, text }];
    if (language === "sh") {
      return commandsIn(sample).map((line) => ({ type: "command", line }));
    }
    if (language === "text") return [{ type: "printed", text }];
    throw new Error(`${place}: neither a file with a title, nor a command, nor what one prints`);
  });
}

/** What a command installs; nothing for any other command. */
export function packagesIn(command: string): string[] {
  return /^npm (?:i|install)(?: -D)? (.+)$/.exec(command)?.[1]?.split(" ") ?? [];
}

/** Whether a program printed what the guide says, but for spaces at the ends of lines. */
export function isPrinted(expected: string, printed: string): boolean {
  const lines = expected.trim().split("\n");
  const patterns = lines.map((line) =>
    line.trimEnd().split("…").map(escaped).join(".*").concat("[^\\S\\n]*"),
  );
  return new RegExp(`^\\s*${patterns.join("\\n")}\\s*$`, "u").test(printed);
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
