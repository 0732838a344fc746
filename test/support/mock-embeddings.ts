/** Embeddings in OpenAI's protocol: texts that share words are near to each other. */
import { hash } from "node:crypto";

const dimensions = 256;

interface EmbeddingsRequest {
  readonly model: string;
  readonly input: string | readonly string[];
  readonly encoding_format?: "float" | "base64";
}

export function embeddingsAnswer({ model, input, encoding_format }: EmbeddingsRequest): object {
  const texts = typeof input === "string" ? [input] : input;
  const data = texts.map((text, index) => {
    const vector = wordCounts(text);
    const base64 = () => Buffer.from(vector.buffer).toString("base64");
    const embedding = encoding_format === "base64" ? base64() : [...vector];
    return { object: "embedding", index, embedding };
  });
  return { object: "list", model, data, usage: { prompt_tokens: 0, total_tokens: 0 } };
}

/** How often each word is there, words being counted by their hash. Plurals are no other words. */
function wordCounts(text: string): Float32Array {
  const counts = new Float32Array(dimensions);
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]{3,}/gu)) {
    const at = Number.parseInt(hash("sha1", word.replace(/s$/, "")).slice(0, 4), 16) % dimensions;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}
