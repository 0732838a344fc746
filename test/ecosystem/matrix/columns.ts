/** The columns of the matrix: what a user must see, whichever package the model comes from. */
import { answerColumns } from "./answer-columns.ts";
import type { Column } from "./column.ts";
import { failureColumns } from "./failure-columns.ts";

export const columns: readonly Column[] = [...answerColumns, ...failureColumns];
