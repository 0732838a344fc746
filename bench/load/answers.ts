/**
 * The answers that the provider gives, and how whoever reads them can tell that one is whole.
 *
 * A message says what is wanted: `fast 300` is 300 tokens as fast as they are read, `paced 300 50`
 * one each 50 ms, `fast 300 0 1000` 300 tokens of a thousand characters, `tools 300` the same as `fast 300` after a
 * few tool calls. A fast answer is the same each time. In a paced one each token carries its place
 * and the moment at which it was written, in the one clock that all processes of a machine share.
 */
import { hrtime } from "node:process";

export interface Wanted {
  readonly kind: "fast" | "paced" | "tools";
  readonly tokens: number;
  readonly intervalMs?: number;
  /** Characters of a fast token; words of their own length without it. */
  readonly tokenLength?: number;
}

const words =
  'the quick stream of bright water runs under a wooden bridge and sings to the small stones , while ein kühler Wind 炭酸 水は しゅわ しゅわ rises above "quiet" fields\n'.split(
    " ",
  );

export function fastToken(index: number, length = 0): string {
  return length === 0 ? ` ${words[index % words.length]}` : ` ${index} `.padEnd(length, "-");
}

const fastAnswers = new Map<string, string>();

export function fastAnswer({ tokens, tokenLength }: Wanted): string {
  const key = `${tokens}/${tokenLength}`;
  let answer = fastAnswers.get(key);
  if (answer === undefined) {
    const all = Array.from({ length: tokens }, (_, index) => fastToken(index, tokenLength));
    answer = all.join("");
    fastAnswers.set(key, answer);
  }
  return answer;
}

export function wish({ kind, tokens, intervalMs = 0, tokenLength = 0 }: Wanted): string {
  return `${kind} ${tokens} ${intervalMs} ${tokenLength}`;
}

/** What comes after the wish is not read: it makes a message as long as one likes. */
export function readWish(message: string): Required<Wanted> {
  const [kind, tokens, intervalMs = 0, tokenLength = 0] = message.split(" ", 4);
  if (kind !== "fast" && kind !== "paced" && kind !== "tools")
    throw new Error(`no such answer: ${message}`);
  return {
    kind,
    tokens: Number(tokens),
    intervalMs: Number(intervalMs),
    tokenLength: Number(tokenLength),
  };
}

/** Characters of a paced token: a space, its place, its time. */
const placeLength = 3;
const timeLength = 6;
const pacedTokenLength = 1 + placeLength + timeLength;
const tickNs = 1_000n;
const timeRange = 36n ** BigInt(timeLength);

const ticksNow = (): number => Number((hrtime.bigint() / tickNs) % timeRange);

export function pacedToken(index: number): string {
  const place = index.toString(36).padStart(placeLength, "0");
  return ` ${place}${ticksNow().toString(36).padStart(timeLength, "0")}`;
}

/** Takes the pieces of one answer as they come, and says in the end whether it was whole. */
export class AnswerCheck {
  readonly #wanted: Wanted;
  /** Called for each paced token with the time that it took, in ms. */
  readonly #onLatency: ((ms: number) => void) | undefined;
  #text = "";
  #checked = 0;
  #tokens = 0;

  constructor(wanted: Wanted, onLatency?: (ms: number) => void) {
    this.#wanted = wanted;
    this.#onLatency = onLatency;
  }

  add(piece: string): void {
    this.#text += piece;
    if (this.#wanted.kind === "paced") this.#readTokens();
  }

  /** @throws Error when a character is missing, doubled or wrong. */
  end(): void {
    const { kind, tokens } = this.#wanted;
    const whole =
      kind !== "paced"
        ? this.#text === fastAnswer(this.#wanted)
        : this.#tokens === tokens && this.#text.length === tokens * pacedTokenLength;
    if (!whole) {
      const ends = `${this.#text.slice(0, 60)}…${this.#text.slice(-60)}`;
      throw new Error(
        `a wrong answer of ${this.#text.length} characters for ${tokens} tokens: ${ends}`,
      );
    }
  }

  #readTokens(): void {
    const now = ticksNow();
    while (this.#text.length - this.#checked >= pacedTokenLength) {
      const start = this.#checked + 1;
      const place = Number.parseInt(this.#text.slice(start, start + placeLength), 36);
      if (place !== this.#tokens) throw new Error(`token ${place} came as number ${this.#tokens}`);
      const time = this.#text.slice(start + placeLength, start + placeLength + timeLength);
      const sent = Number.parseInt(time, 36);
      const ticks = (now - sent + Number(timeRange)) % Number(timeRange);
      this.#onLatency?.((ticks * Number(tickNs)) / 1e6);
      this.#checked += pacedTokenLength;
      this.#tokens += 1;
    }
  }
}
