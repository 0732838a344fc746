/** Every guard, by the area that it is of. */
import type { Guard } from "../guard.ts";
import { accessGuards } from "./access.ts";

export const guards: readonly Guard[] = [...accessGuards];
