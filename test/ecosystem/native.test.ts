import { withEcosystem } from "./installed.ts";

await withEcosystem(
  "what a native stream tells beside what Langwire tells",
  () => import("./native/compare.ts"),
);
