/**
 * The router as the generator sees it: its procedures and their types, with nothing behind them.
 * No procedure of it can be called.
 */
import { createChatRouter } from "../../src/api/router.ts";

export const router = createChatRouter({ store: {} } as never);
