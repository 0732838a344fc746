/** Networks that break under a reader, at random places. */
import fc from "fast-check";
import type { TcpProxy } from "../support/tcp-proxy.ts";

type Blow =
  | { readonly kind: "cut" }
  | { readonly kind: "cutWithin"; readonly bytes: number }
  | { readonly kind: "refuse"; readonly ms: number }
  | { readonly kind: "stall"; readonly ms: number }
  | { readonly kind: "stallThenCut"; readonly ms: number };

/** Blows to one reader's network, each after so many more events. */
export interface Network {
  readonly blows: readonly { readonly afterEvents: number; readonly blow: Blow }[];
}

const ms = fc.integer({ min: 0, max: 20 });
const blow: fc.Arbitrary<Blow> = fc.oneof(
  fc.constant<Blow>({ kind: "cut" }),
  fc.integer({ min: 1, max: 700 }).map((bytes): Blow => ({ kind: "cutWithin", bytes })),
  ms.map((delay): Blow => ({ kind: "refuse", ms: delay })),
  ms.map((delay): Blow => ({ kind: "stall", ms: delay })),
  ms.map((delay): Blow => ({ kind: "stallThenCut", ms: delay })),
);
export const network: fc.Arbitrary<Network> = fc.record({
  blows: fc.array(fc.record({ afterEvents: fc.integer({ min: 0, max: 8 }), blow }), {
    maxLength: 5,
  }),
});
/** What a model writes at a time. */
export const piece = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12 }),
  fc.constantFrom("炭酸水", "👩‍👩‍👧", "é", "\r\n", '"\\', "\u2028"),
);
/**
 * Deals the blows. It never leaves a network broken for good.
 * @returns called after each event with how many have come
 */
export function strike(
  { blows }: Network,
  { proxy }: { readonly proxy: TcpProxy },
): (count: number) => void {
  const left = [...blows];
  let next = left[0]?.afterEvents ?? 0;
  return (count) => {
    if (count <= next) return;
    const dealt = left.shift();
    if (dealt === undefined) return;
    next = count + (left[0]?.afterEvents ?? 0);
    const { blow } = dealt;
    switch (blow.kind) {
      case "cut":
        proxy.cut();
        break;
      case "cutWithin":
        proxy.cutAfter(blow.bytes);
        break;
      case "refuse":
        proxy.refuse();
        proxy.cut();
        setTimeout(() => proxy.accept(), blow.ms);
        break;
      case "stall":
        proxy.pause();
        setTimeout(() => proxy.resume(), blow.ms);
        break;
      case "stallThenCut":
        proxy.pause();
        setTimeout(() => {
          proxy.cut();
          proxy.resume();
        }, blow.ms);
        break;
    }
  };
}
