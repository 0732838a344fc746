/** What the official parser has against an AsyncAPI document. */
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";

export async function asyncApiProblems(document: string): Promise<string[]> {
  const { diagnostics } = await new Parser().parse(document);
  return diagnostics
    .filter(({ severity }) => severity <= DiagnosticSeverity.Warning)
    .map(({ path, message }) => `${path.join(".")}: ${message}`);
}
