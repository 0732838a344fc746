/** The state that a client shows, what needs its connection, and what a wake-up reaches. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Connection, type Dependent } from "../../client/src/connection/connection.ts";
import { closedError } from "../../client/src/errors.ts";

function setUp() {
  const connection = new Connection();
  const transcript: string[] = [];
  const say = (line: string) => void transcript.push(line);
  connection.use = {
    needed: () => say("needed"),
    unneeded: () => say("unneeded"),
    woken: () => say("woken"),
  };
  const dependent = (name: string): Dependent => ({
    input: {},
    fail: ({ code }) => say(`${name} fails ${code}`),
    wake: () => say(`${name} wakes`),
  });
  return { connection, transcript, say, dependent };
}

describe("the state", () => {
  test("is told when it changes, or its error does, until it is closed for good", () => {
    const { connection, transcript, say } = setUp();
    expect(connection.state).toBe("idle");
    connection.subscribe(({ state, error }) => say(`${state} ${error?.code ?? ""}`.trim()));
    const error = closedError();
    connection.change("idle");
    connection.change("connecting");
    connection.change("connecting", error);
    connection.change("connecting", error);
    expect(connection.error).toBe(error);
    connection.change("open");
    expect(connection.error).toBeUndefined();
    connection.change("closed");
    connection.change("closed", error);
    connection.change("open");
    expect(transcript).toEqual(["connecting", "connecting CLOSED", "open", "closed"]);
    expect(connection.state).toBe("closed");
  });

  test("is not told to who listens no more; a listener that goes keeps it from nobody else", () => {
    const { connection, transcript, say } = setUp();
    const stop = connection.subscribe(() => {
      say("first");
      stop();
      connection.subscribe(() => say("third"));
    });
    connection.subscribe(() => say("second"));
    connection.change("connecting");
    connection.change("open");
    expect(transcript).toEqual(["first", "second", "second", "third"]);
  });
});

test("it is needed until the last one lets go of it, each once", () => {
  const { connection, transcript, dependent } = setUp();
  expect(connection.needed).toBe(false);
  const [one, two] = ["one", "two"].map(dependent) as [Dependent, Dependent];
  const forget = connection.add(one);
  const release = connection.hold();
  expect(transcript).toEqual(["needed", "needed"]);
  expect(connection.dependents).toEqual([one]);
  forget();
  forget();
  expect(connection.needed).toBe(true);
  expect(connection.dependents).toEqual([]);
  expect(transcript).toHaveLength(2);
  release();
  expect(connection.needed).toBe(false);
  expect(transcript).toEqual(["needed", "needed", "unneeded"]);
  connection.add(two)();
  expect(transcript.slice(3)).toEqual(["needed", "unneeded"]);
});

test("given up, it fails everything that waits, and says why to what comes later", () => {
  const { connection, transcript, dependent } = setUp();
  for (const name of ["one", "two"]) connection.add(dependent(name));
  connection.refusals = 2;
  const error = closedError();
  connection.giveUp(error);
  expect(transcript.slice(2)).toEqual(["one fails CLOSED", "two fails CLOSED"]);
  expect(connection.givenUp).toBe(error);
  expect(connection.refusals).toBe(0);
});

describe("a page that is back", () => {
  function stubPage() {
    const page = new EventTarget();
    const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
    vi.stubGlobal("document", document);
    onTestFinished(() => void vi.unstubAllGlobals());
    return { page, document };
  }

  test.each(["online", "pageshow", "visibilitychange"])(
    "by %s: once, and only while it is needed",
    (type) => {
      const { page, document } = stubPage();
      const wake = () => {
        (type === "visibilitychange" ? document : page).dispatchEvent(new Event(type));
      };
      const { connection, transcript, dependent } = setUp();
      wake();
      const forget = ["one", "two"].map((name) => connection.add(dependent(name)));
      wake();
      expect(transcript.splice(0)).toEqual(["needed", "needed", "woken", "one wakes", "two wakes"]);
      forget[0]?.();
      wake();
      expect(transcript.splice(0)).toEqual(["woken", "two wakes"]);
      forget[1]?.();
      wake();
      expect(transcript.splice(0)).toEqual(["unneeded"]);
      connection.add(dependent("three"));
      wake();
      expect(transcript).toEqual(["needed", "woken", "three wakes"]);
    },
  );

  test("wakes what depends on a connection that no transport uses yet", () => {
    const { page } = stubPage();
    const { connection, transcript, dependent } = setUp();
    connection.use = undefined;
    const forget = connection.add(dependent("one"));
    page.dispatchEvent(new Event("online"));
    forget();
    expect(transcript).toEqual(["one wakes"]);
  });

  test("is not one that has gone", () => {
    const { document } = stubPage();
    const { connection, transcript } = setUp();
    connection.hold();
    document.visibilityState = "hidden";
    document.dispatchEvent(new Event("visibilitychange"));
    expect(transcript).toEqual(["needed"]);
  });
});
