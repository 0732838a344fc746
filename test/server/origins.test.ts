import { describe, expect, test } from "vitest";
import { isLoopbackHost, originCheck } from "../../src/server/access/origins.ts";

describe("which pages may call", () => {
  const listed = originCheck(["https://chat.example.com", "http://localhost:5173"]);
  const unlisted = originCheck();

  test.each(["https://chat.example.com", "http://localhost:5173"])(
    "%s is on the list",
    (origin) => {
      expect(listed({ origin, host: "api.example.com" })).toBe(true);
    },
  );

  test.each([
    "https://chat.example.com.evil.example",
    "https://evilchat.example.com",
    "https://chat.example.com:8443",
    "http://chat.example.com",
    "https://chat.example.com/",
    "https://CHAT.example.com",
    "https://chat.example.com@evil.example",
    "https://chat.example.com, https://evil.example",
    "http://localhost:5174",
    "https://api.example.com",
    "null",
    "",
    "file://",
  ])("%s is not", (origin) => {
    expect(listed({ origin, host: "api.example.com" })).toBe(false);
  });

  test.each([
    ["http://chat.lan:3000", "chat.lan:3000", true],
    ["https://chat.example", "chat.example", true],
    ["https://chat.example", "chat.example:443", true],
    ["https://chat.example", "Chat.Example", true],
    ["https://chat.example:8443", "chat.example:8443", true],
    ["https://chat.example:8443", "chat.example", false],
    ["https://chat.example", "chat.example:80", false],
    ["https://evil.example", "evil.example/@chat.example", false],
    ["http://localhost:5173", "127.0.0.1:3000", true],
    ["http://[::1]:5173", "localhost:3000", true],
    ["http://chat.lan:3001", "chat.lan:3000", false],
    ["http://chat.lan:3000.evil.example", "chat.lan:3000", false],
    ["http://localhost.evil.example", "127.0.0.1:3000", false],
    ["http://127.0.0.1.evil.example", "127.0.0.1:3000", false],
    ["http://localhost:5173", "chat.example", false],
    ["https://evil.example", "127.0.0.1:3000", false],
    ["null", "127.0.0.1:3000", false],
    ["null", "", false],
    ["http://chat.lan", undefined, false],
  ])("without a list, %s at %s: %s", (origin, host, allowed) => {
    expect(unlisted({ origin, host })).toBe(allowed);
  });

  test.each([
    [undefined, true],
    ["none", true],
    ["same-origin", true],
    ["same-site", false],
    ["cross-site", false],
    [["none", "cross-site"], false],
  ])("without an Origin, a browser's own word %s: %s", (site, allowed) => {
    expect(unlisted({ host: "127.0.0.1:3000", site })).toBe(allowed);
    expect(listed({ host: "127.0.0.1:3000", site })).toBe(allowed);
  });
});

test.each([
  ["localhost", true],
  ["localhost:3000", true],
  ["127.0.0.1:3000", true],
  ["127.99.0.3", true],
  ["[::1]:3000", true],
  ["LOCALHOST:3000", true],
  ["2130706433", true],
  ["evil.example", false],
  ["localhost.evil.example", false],
  ["127.0.0.1.evil.example", false],
  ["localhost@evil.example", false],
  ["evil.example#localhost", false],
  ["192.168.0.1", false],
  ["0.0.0.0", false],
  ["", false],
  [undefined, false],
])("a Host of %s is one of this machine's own: %s", (host, loopback) => {
  expect(isLoopbackHost(host)).toBe(loopback);
});
