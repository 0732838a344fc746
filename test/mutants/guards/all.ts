/** Every guard, by the area that it is of. */
import type { Guard } from "../guard.ts";
import { accessGuards } from "./access.ts";
import { archiveGuards } from "./archives.ts";
import { askingChatGuards } from "./asking-chats.ts";
import { botBoundGuards } from "./bot-bounds.ts";
import { botFailureGuards } from "./bot-failures.ts";
import { botRuleGuards } from "./bot-rules.ts";
import { botGuards } from "./bots.ts";
import { chatGuards } from "./chats.ts";
import { clientGuards } from "./client.ts";
import { clusterGuards } from "./cluster.ts";
import { commandGuards } from "./commands.ts";
import { connectionGuards } from "./connections.ts";
import { databaseGuards } from "./databases.ts";
import { entranceGuards } from "./entrance.ts";
import { followingGuards } from "./following.ts";
import { journalGuards } from "./journal.ts";
import { leaseGuards } from "./leases.ts";
import { lifecycleGuards } from "./lifecycle.ts";
import { logGuards } from "./log.ts";
import { memoryLogGuards } from "./memory-log.ts";
import { operatingGuards } from "./operating.ts";
import { pacingGuards } from "./pacing.ts";
import { pageGuards } from "./page.ts";
import { protocolGuards } from "./protocol.ts";
import { providerAnswerGuards } from "./provider-answers.ts";
import { providerRequestGuards } from "./provider-requests.ts";
import { queryGuards } from "./queries.ts";
import { reconcileGuards } from "./reconciling.ts";
import { recoveryGuards } from "./recovery.ts";
import { redisGuards } from "./redis.ts";
import { redisLogGuards } from "./redis-log.ts";
import { redisRunGuards } from "./redis-runs.ts";
import { redisShareGuards } from "./redis-shares.ts";
import { refusalGuards } from "./refusals.ts";
import { requestGuards } from "./requests.ts";
import { runLifeGuards } from "./run-lives.ts";
import { runGuards } from "./runs.ts";
import { serverGuards } from "./server.ts";
import { settingGuards } from "./settings.ts";
import { shownChatGuards } from "./shown-chats.ts";
import { socketGuards } from "./sockets.ts";
import { startingGuards } from "./starting.ts";
import { storeGuards } from "./store.ts";
import { terminalGuards } from "./terminal.ts";

export const guards: readonly Guard[] = [
  ...accessGuards,
  ...clusterGuards,
  ...followingGuards,
  ...lifecycleGuards,
  ...startingGuards,
  ...recoveryGuards,
  ...serverGuards,
  ...logGuards,
  ...memoryLogGuards,
  ...journalGuards,
  ...protocolGuards,
  ...storeGuards,
  ...archiveGuards,
  ...botGuards,
  ...botRuleGuards,
  ...botBoundGuards,
  ...botFailureGuards,
  ...providerAnswerGuards,
  ...providerRequestGuards,
  ...clientGuards,
  ...connectionGuards,
  ...refusalGuards,
  ...terminalGuards,
  ...commandGuards,
  ...chatGuards,
  ...askingChatGuards,
  ...shownChatGuards,
  ...pageGuards,
  ...redisGuards,
  ...runGuards,
  ...leaseGuards,
  ...redisLogGuards,
  ...redisShareGuards,
  ...databaseGuards,
  ...entranceGuards,
  ...pacingGuards,
  ...queryGuards,
  ...requestGuards,
  ...socketGuards,
  ...settingGuards,
  ...operatingGuards,
  ...runLifeGuards,
  ...reconcileGuards,
  ...redisRunGuards,
];
