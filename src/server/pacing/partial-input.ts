/**
 * What has come of messages and requests that are not whole yet, of all connections together. Each connection has
 * a limit; a thousand of one address could still hold a quarter of a gigabyte that way. Past the limit of all, the
 * connection that holds most is closed, of the address that holds most.
 */
import { addressKey } from "../access/addresses.ts";

/** A connection that has sent a part of something. */
export interface PartialSender {
  readonly address: string;
  /** Closes the connection, so that nothing is held for it. */
  cutPartial(): void;
}

/** Sixty-four of the longest messages. What is made of a flood of them is several times as much. */
const maxBytes = 16 * 1024 * 1024;

interface OfAddress {
  bytes: number;
  readonly senders: Map<PartialSender, number>;
}

export class PartialInput {
  readonly #maxBytes: number;
  readonly #addresses = new Map<string, OfAddress>();
  #bytes = 0;

  /** @param limitBytes for tests */
  constructor(limitBytes: number = maxBytes) {
    this.#maxBytes = limitBytes;
  }

  /** Bytes that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Says what is held for a connection now. @param bytes 0 once the message is whole, or the connection closed */
  hold(sender: PartialSender, bytes: number): void {
    this.#set(sender, bytes);
    if (this.#bytes > this.#maxBytes) this.#cutLargest();
  }

  #set(sender: PartialSender, bytes: number): void {
    const key = addressKey(sender.address);
    const ofAddress = this.#addresses.get(key) ?? { bytes: 0, senders: new Map() };
    const more = bytes - (ofAddress.senders.get(sender) ?? 0);
    this.#bytes += more;
    ofAddress.bytes += more;
    if (bytes > 0) ofAddress.senders.set(sender, bytes);
    else ofAddress.senders.delete(sender);
    if (ofAddress.senders.size > 0) this.#addresses.set(key, ofAddress);
    else this.#addresses.delete(key);
  }

  #cutLargest(): void {
    const [largest] = [...this.#addresses.values()].toSorted((a, b) => b.bytes - a.bytes);
    let [most, mostBytes]: [PartialSender | undefined, number] = [undefined, 0];
    for (const [sender, bytes] of largest?.senders ?? []) {
      if (bytes > mostBytes) [most, mostBytes] = [sender, bytes];
    }
    if (most === undefined) return;
    this.#set(most, 0);
    most.cutPartial();
  }
}
