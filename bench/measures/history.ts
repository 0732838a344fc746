/** A page of an agent's conversation: fifty messages, each answer with the tools that it called. */
import type { Measure } from "../parts/measure.ts";
import { Stage } from "../parts/stage.ts";
import { median } from "../parts/statistics.ts";

const runs = 60;
const limit = 50;

export const history: Measure = {
  name: "history",
  peers: { quick: [], full: ["langwire"] },
  rounds: { quick: 0, full: 5 },
  sample: async (peer) => {
    await using stage = await Stage.open({ peer });
    const { url } = stage;
    const conversationId = await stage.load.call<string>("makeConversation", { url, runs });
    const read = (times: number) =>
      stage.load.call<number[]>("readPages", { url, conversationId, limit, times });
    const [coldMs = Number.NaN] = await read(1);
    return { coldMs, ms: median(await read(100)) };
  },
};
