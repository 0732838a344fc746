/**
 * What every store must do, whichever database is beneath it: an engine's own test file says how to
 * open it and calls `describeStore`.
 */
import { describe } from "vitest";
import { describeAdministration } from "./administration-contract.ts";
import { describeArchives } from "./archives-contract.ts";
import { describeConversations } from "./conversations-contract.ts";
import { describeDeletions } from "./deletions-contract.ts";
import { describeMembers } from "./members-contract.ts";
import { describeMessages } from "./messages-contract.ts";
import { describeOwners } from "./owners-contract.ts";
import { describeParts } from "./parts-contract.ts";
import { describeRestores } from "./restore-contract.ts";
import { describeRuns } from "./runs-contract.ts";
import { describeStoreItself } from "./store-itself-contract.ts";
import { describeStoreModel } from "./store-model.ts";
import type { StorePlace } from "./store-place.ts";

export function describeStore(name: string, newPlace: () => Promise<StorePlace>): void {
  describe(`the store on ${name}`, () => {
    describe("conversations", () => describeConversations(newPlace));
    describe("members", () => describeMembers(newPlace));
    describe("messages", () => describeMessages(newPlace));
    describe("parts of messages", () => describeParts(newPlace));
    describe("runs", () => describeRuns(newPlace));
    describe("owners of runs", () => describeOwners(newPlace));
    describe("runs that it has lost are put back", () => describeRestores(newPlace));
    describe("archives", () => describeArchives(newPlace));
    describe("deletions", () => describeDeletions(newPlace));
    describe("administration", () => describeAdministration(newPlace));
    describe("itself", () => describeStoreItself(newPlace));
    describe("under any interleaving", () => describeStoreModel(newPlace));
  });
}
