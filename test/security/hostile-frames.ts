/** What a hostile client may write on a WebSocket, as arbitraries. */
import fc from "fast-check";
import { encodeFrame } from "./raw-socket.ts";

/** Bytes to write, and whether they may leave the server waiting for more. */
export interface Hostile {
  readonly bytes: Buffer;
  readonly dangling: boolean;
}

export const paths = [
  "chat.send",
  "chat.watch",
  "chat.cancel",
  "conversations.create",
  "conversations.list",
  "conversations.get",
  "conversations.messages",
  "conversations.rename",
  "conversations.share",
  "conversations.unshare",
  "conversations.join",
  "conversations.leave",
  "conversations.delete",
  "bots.list",
];

const protoKeys = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then"];

/** Few, so that cases meet: the same run twice, a subscription and its stop, two users of a room. */
const uuid = fc.constantFrom(
  ...Array.from({ length: 6 }, (_, index) => `00000000-0000-4000-8000-00000000000${index}`),
);

export const oddText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("\ud800", "a\udfffb", "\0", "\u2028", "￿", "", " ", "炭酸水", "🫧"),
  fc.constantFrom(100, 10_000, 32_001).map((length) => "x".repeat(length)),
);

const oddNumber = fc.oneof(
  fc.integer(),
  fc.double({ noDefaultInfinity: true, noNaN: true }),
  fc.constantFrom(-0, 2 ** 53, -(2 ** 53), 1e308, 5e-324),
);

/** Depth that JSON.stringify cannot write: the text stands in for it until the end. */
const nested = fc
  .tuple(fc.constantFrom("list", "object"), fc.constantFrom(3, 100, 5_000, 20_000))
  .map(([kind, depth]) => `deep ${kind} ${depth}`);

export function toText(value: unknown): string {
  const flat = JSON.stringify(value) ?? "";
  return flat.replaceAll(/"deep (list|object) (\d+)"/g, (_text, kind, depth) =>
    kind === "list"
      ? `${"[".repeat(Number(depth))}1${"]".repeat(Number(depth))}`
      : `${'{"a":'.repeat(Number(depth))}1${"}".repeat(Number(depth))}`,
  );
}

const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 3, arbitrary: oddText },
  { weight: 3, arbitrary: oddNumber },
  { weight: 1, arbitrary: nested },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...protoKeys), fc.jsonValue({ maxDepth: 1 }))
      .map(([key, value]) => JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(value)}}`)),
  },
);

const goodInput = fc.record(
  {
    runId: uuid,
    conversationId: uuid,
    botId: fc.constantFrom("test", "nobody"),
    message: fc.oneof(fc.constant("hello"), oddText),
    title: oddText,
    ifBusy: fc.constantFrom("reject", "interrupt"),
    only: fc.array(fc.constantFrom("token", "runEnd", "nothing"), { maxLength: 3 }),
    lastEventId: fc.constantFrom("0", "1", "5", "999999999999999", "-1", "1.5", "01"),
    cursor: oddText,
    limit: fc.oneof(fc.constantFrom(1, 50, 100, 0, 101), oddNumber),
  },
  { requiredKeys: ["runId", "conversationId", "botId", "message"] },
);

const mark = fc.constantFrom(
  ["undefined"],
  ["bigint"],
  ["regexp"],
  ["Date"],
  ["map", {}],
  ["set"],
  ["Error"],
  ["custom", "x"],
  ["class", "Object"],
  ["symbol", "iterator"],
  [["typed-array", "Uint8Array"]],
);

const meta = fc.oneof(
  anyJson,
  fc.record({ values: fc.oneof(mark, fc.dictionary(fc.string({ maxLength: 12 }), mark), anyJson) }),
  fc.record({
    values: fc.constant(JSON.parse('{"__proto__.polluted":["undefined"],"message":["regexp"]}')),
    referentialEqualities: fc.constant({ runId: ["__proto__.polluted", "message"] }),
  }),
);

export const input = fc.oneof(
  { weight: 6, arbitrary: goodInput.map((json) => ({ json })) },
  { weight: 2, arbitrary: fc.record({ json: fc.oneof(goodInput, anyJson), meta }) },
  { weight: 1, arbitrary: anyJson },
);

const id = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 4 }) },
  { weight: 1, arbitrary: fc.oneof(oddNumber, oddText, fc.constant(null), fc.constant({ a: 1 })) },
  { weight: 1, arbitrary: fc.constantFrom("a", "x".repeat(64), "y".repeat(70_000), ...protoKeys) },
);

const message: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      {
        id,
        method: fc.constantFrom("query", "mutation", "subscription", "subscription"),
        jsonrpc: fc.constantFrom("2.0", "2.0", "1.0", 2),
        params: fc.record(
          {
            path: fc.oneof(
              { weight: 9, arbitrary: fc.constantFrom(...paths) },
              { weight: 1, arbitrary: fc.oneof(oddText, fc.constantFrom("chat", ...protoKeys)) },
            ),
            input,
            lastEventId: fc.oneof(fc.constantFrom("0", "3", "-1", "999999999999999"), anyJson),
          },
          { requiredKeys: ["path", "input"] },
        ),
      },
      { requiredKeys: ["id", "method", "params"] },
    ),
  },
  { weight: 3, arbitrary: fc.record({ id, method: fc.constant("subscription.stop") }) },
  {
    weight: 1,
    arbitrary: fc.record({ id, method: fc.oneof(oddText, anyJson), params: anyJson }),
  },
  { weight: 1, arbitrary: anyJson },
);

const text = fc.oneof(
  { weight: 6, arbitrary: message.map(toText) },
  {
    weight: 3,
    arbitrary: fc.array(message, { maxLength: 12 }).map(toText),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(message, fc.constantFrom(127, 129, 1_000, 3_000))
      .map(([one, count]) => `[${Array(count).fill(toText(one)).join(",")}]`)
      .filter((frame) => frame.length < 250_000),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(message, fc.nat(), oddText).map(([value, at, noise]) => {
      const whole = toText(value);
      const place = at % (whole.length + 1);
      return whole.slice(0, place) + noise + whole.slice(place + (at % 3));
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom("PING", "PONG", "", "[]", "[[]]", "null", "{", "1e999") },
  {
    // Where the length of a frame takes another form, and where a frame becomes too long.
    weight: 1,
    arbitrary: fc
      .oneof(
        { weight: 3, arbitrary: fc.constantFrom(125, 126, 127, 65_534, 65_535, 65_536, 65_537) },
        { weight: 1, arbitrary: fc.constantFrom(262_143, 262_144, 262_145) },
      )
      .map((length) => JSON.stringify({ id: 1, method: "query", pad: "" }).padEnd(length, " ")),
  },
);

const whole = (bytes: Buffer): Hostile => ({ bytes, dangling: false });

const asText = text.map((it) => whole(encodeFrame({ opcode: 1, payload: Buffer.from(it) })));

const asBinary = fc
  .oneof(text.map(Buffer.from), fc.uint8Array({ maxLength: 200 }).map(Buffer.from))
  .map((payload) => whole(encodeFrame({ opcode: 2, payload })));

const asFragments = fc
  .tuple(text, fc.integer({ min: 1, max: 5 }), fc.boolean())
  .map(([it, count, interrupted]) => {
    const payload = Buffer.from(it);
    const size = Math.ceil(payload.length / count) || 1;
    const frames = Array.from({ length: count }, (_, index) => [
      encodeFrame({
        opcode: index === 0 ? 1 : 0,
        payload: payload.subarray(index * size, (index + 1) * size),
        fin: index === count - 1,
      }),
      ...(interrupted ? [encodeFrame({ opcode: 9, payload: Buffer.from("between") })] : []),
    ]);
    return whole(Buffer.concat(frames.flat()));
  });

/** Not UTF-8: overlong, a half surrogate, cut off, and out of range. */
const brokenUtf8 = fc
  .constantFrom([0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe7, 0x82], [0xf5, 0x80, 0x80, 0x80], [0xff])
  .map((bytes) => {
    const payload = Buffer.concat([Buffer.from('{"id":1,"method":"'), Buffer.from(bytes)]);
    return whole(encodeFrame({ opcode: 1, payload }));
  });

const brokenFrame = fc
  .record({
    opcode: fc.nat(15),
    payload: fc
      .oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ minLength: 126, maxLength: 70_000 }),
      )
      .map(Buffer.from),
    fin: fc.boolean(),
    reserved: fc.constantFrom(0, 0, 1, 2, 4, 7),
    masked: fc.boolean(),
    lengthBytes: fc.constantFrom<[0, 2, 8][number][]>(0, 2, 8),
  })
  .map((frame) => ({ bytes: encodeFrame(frame), dangling: true }));

const closeFrame = fc
  .tuple(fc.constantFrom(0, 999, 1000, 1004, 1005, 1006, 1015, 2999, 4401, 65_535), oddText)
  .map(([code, reason]) => {
    const head = Buffer.alloc(2);
    head.writeUInt16BE(code);
    const payload = Buffer.concat([head, Buffer.from(reason)]).subarray(0, 130);
    return whole(encodeFrame({ opcode: 8, payload }));
  });

const falseLength = fc
  .tuple(fc.constantFrom(1n, 125n, 65_536n, 2n ** 31n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n), text)
  .map(([claimedLength, it]) => ({
    bytes: encodeFrame({ opcode: 1, payload: Buffer.from(it), claimedLength, lengthBytes: 8 }),
    dangling: true,
  }));

const noise = fc
  .uint8Array({ minLength: 1, maxLength: 300 })
  .map((bytes) => ({ bytes: Buffer.from(bytes), dangling: true }));

/** One socket's worth: what is written on it, one after the other. */
export const hostileFrames: fc.Arbitrary<Hostile[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: asText },
    { weight: 2, arbitrary: asFragments },
    { weight: 1, arbitrary: asBinary },
    { weight: 1, arbitrary: brokenUtf8 },
    { weight: 1, arbitrary: brokenFrame },
    { weight: 1, arbitrary: closeFrame },
    { weight: 1, arbitrary: falseLength },
    { weight: 1, arbitrary: noise },
  ),
  { minLength: 1, maxLength: 6 },
);
