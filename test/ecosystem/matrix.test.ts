import { withEcosystem } from "./installed.ts";

await withEcosystem(
  "the matrix of providers (Anthropic, Gemini, Mistral, Ollama, Groq, OpenAI)",
  () => import("./matrix/matrix.ts"),
);
