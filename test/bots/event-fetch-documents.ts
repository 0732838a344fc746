/** Random event streams, as model providers send them and as the specification allows them. */
import fc from "fast-check";

const text = fc.string({ unit: "binary", maxLength: 40 });

/** What may stand in `data`: a chunk of an answer, or any other JSON that is no error. */
const payload = fc.oneof(
  {
    weight: 5,
    arbitrary: text.map((content) => ({ choices: [{ index: 0, delta: { content } }] })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      id: text,
      usage: fc.constant(null),
      choices: fc.constant([{ index: 0, delta: {}, finish_reason: "stop" }]),
    }),
  },
  { weight: 1, arbitrary: fc.array(fc.jsonValue(), { maxLength: 3 }) },
);

const space = fc.constantFrom("", " ");

/** One event's lines, without the blank one. */
const eventLines = fc.oneof(
  {
    weight: 8,
    arbitrary: payload.map((value) => [`data: ${JSON.stringify(value)}`]),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(payload, space).map(([value, gap]) =>
      JSON.stringify(value, null, 1)
        .split("\n")
        .map((line) => `data:${gap}${line}`),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        payload,
        fc.constantFrom("event: message", "id: 7", "retry:3", ": hello", "other", ":"),
      )
      .map(([value, field]) => [field, `data: ${JSON.stringify(value)}`, "id"]),
  },
  { weight: 2, arbitrary: fc.constantFrom([": ping"], [], ["id: 1"], ["\uFEFF: marked"]) },
  { weight: 1, arbitrary: payload.map((value) => [`\uFEFFdata: ${JSON.stringify(value)}`]) },
);

const lineEnd = fc.constantFrom("\n", "\r\n", "\r");

/** A line end for the whole stream, or another one for each line. */
const lineEnds = fc.oneof(
  { weight: 3, arbitrary: lineEnd.map((one) => [one]) },
  { weight: 1, arbitrary: fc.array(lineEnd, { minLength: 2, maxLength: 7 }) },
);

export interface EventDocument {
  readonly bytes: Buffer;
  /** Where the network cuts it. */
  readonly cuts: number[];
}

export const eventDocument: fc.Arbitrary<EventDocument> = fc
  .record({
    mark: fc.constantFrom("", "", "", "\uFEFF"),
    events: fc.array(eventLines, { maxLength: 8 }),
    ends: lineEnds,
    ending: fc.constantFrom("whole", "done", "done in the middle", "no blank line"),
    cuts: fc.array(fc.nat(4096), { maxLength: 6 }),
  })
  .map(({ mark, events, ends, ending, cuts }) => {
    const all = [...events];
    if (ending === "done") all.push(["data: [DONE]"]);
    if (ending === "done in the middle") all.splice(all.length >> 1, 0, ["data: [DONE]"]);
    let lines = 0;
    const document = all
      .flatMap((event) => [...event, ""])
      .slice(0, ending === "no blank line" ? -1 : undefined)
      .map((line) => line + (ends[lines++ % ends.length] ?? "\n"))
      .join("");
    return { bytes: Buffer.from(mark + document), cuts };
  });
