/** Documents that a tool found, as sources: LangChain's own, in a list, or in lists of an object. */
import type { EventOf } from "../../../protocol/events.ts";
import type { PayloadBudget } from "../payload.ts";
import { isFields, text } from "./file-block.ts";

type Content = NonNullable<EventOf<"toolEnd">["content"]>[number];
export type SourceContent = Extract<Content, { type: "source" }>;
type Fields = Readonly<Record<string, unknown>>;

/** More than anybody looks at. */
const documentsAtMost = 10_000;

/** @param budget bounds the quotes together */
export function documentSources(artifact: unknown, budget: PayloadBudget): SourceContent[] {
  return documentsIn(artifact)
    .slice(0, documentsAtMost)
    .map((document) => sourceOf(document, budget));
}

function documentsIn(artifact: unknown): Fields[] {
  if (!isFields(artifact)) return [];
  if (isDocument(artifact)) return [artifact];
  const lists = Array.isArray(artifact)
    ? [artifact]
    : Object.values(artifact).filter(Array.isArray);
  return lists.flatMap((list: unknown[]) => list.filter(isFields).filter(isDocument));
}

const isDocument = (value: Fields): boolean =>
  typeof value.pageContent === "string" && isFields(value.metadata);

/** Its address and title are where LangChain's loaders put them. */
function sourceOf({ id, pageContent, metadata }: Fields, budget: PayloadBudget): SourceContent {
  const fields = isFields(metadata) ? metadata : {};
  const places = [fields.url, fields.source, fields.link].map(text);
  const url = places.find((place) => place !== undefined && /^https?:\/\//i.test(place));
  const title = text(fields.title) ?? places.find((place) => place !== undefined);
  const quote = text(pageContent);
  const documentId = text(id);
  return {
    type: "source",
    ...(url && { url }),
    ...(title && { title }),
    ...(documentId && { documentId }),
    ...(quote && { quote: budget.text(quote) }),
  };
}
