/** Errors inside of answers that began as good ones. */
import {
  chunk,
  done,
  head,
  hello,
  type OddAnswer,
  role,
  said,
  stop,
  text,
  usage,
} from "./odd-answer.ts";

export const errors: OddAnswer[] = [
  {
    name: "an error in a 200",
    body: { error: { message: "Rate limit exceeded", code: 429 } },
    gets: { fails: /429 Rate limit exceeded/ },
  },
  {
    name: "an error that is a text",
    body: { error: "model is busy" },
    gets: { fails: /model is busy/ },
  },
  {
    name: "an error in the middle",
    events: [role, text("Hel"), { error: { message: "Provider disconnected", code: 502 } }],
    gets: { fails: /502 Provider disconnected/ },
  },
  {
    name: "an error beside a finish reason",
    events: [
      role,
      text("Hel"),
      chunk({ content: "" }, "error", {
        error: { code: "server_error", message: "Provider disconnected" },
      }),
      done,
    ],
    gets: { fails: /Provider disconnected/ },
  },
  {
    name: "an error inside of a choice",
    events: [
      role,
      {
        ...head,
        choices: [
          {
            index: 0,
            delta: {},
            finish_reason: "error",
            error: { message: "Worker limit reached", code: 502 },
          },
        ],
      },
    ],
    gets: { fails: /Worker limit reached/ },
  },
  {
    name: "an error by its event's name",
    events: [role, text("Hel"), 'event: error\ndata: {"message":"Overloaded"}\n\n'],
    gets: { fails: /Overloaded/ },
  },
  {
    name: "an error of vLLM's older form",
    events: [
      role,
      { object: "error", message: "out of memory", type: "InternalServerError", code: 500 },
    ],
    gets: { fails: /500 out of memory/ },
  },
  {
    name: "an error of llama-server's older form",
    events: [role, 'error: {"code":500,"message":"slot unavailable","type":"server_error"}\n\n'],
    gets: { fails: /500 slot unavailable/ },
  },
  {
    name: "an error without a frame, in the middle",
    events: [role, text("Hel"), '{"error":{"message":"upstream reset","code":502}}\n'],
    gets: { fails: /502 upstream reset/ },
  },
  {
    name: "a detail in a 200",
    body: { detail: "Not authenticated" },
    gets: { fails: /Not authenticated/ },
  },
  {
    name: "a list in a 200",
    body: [{ error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } }],
    gets: { fails: /503 The model is overloaded/ },
  },
  {
    name: "a null error in every chunk",
    events: [
      { ...role, error: null },
      ...hello.map((one) => ({ ...one, error: null })),
      stop,
      usage,
      done,
    ],
    gets: said,
    stock: true,
  },
];
