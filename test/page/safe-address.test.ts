/** What the page makes of addresses that a bot, a tool or a web page gave. */
import { expect, test } from "vitest";
import { isHeldFile, isPicture, webAddress } from "../../client/page/parts/safe-address.ts";

test.each([
  ["https://a.example/x?y#z", "https://a.example/x?y#z"],
  ["HTTP://A.example", "http://a.example/"],
  ["javascript:alert(1)", undefined],
  [" java\tscript:alert(1)", undefined],
  ["data:text/html,<script>alert(1)</script>", undefined],
  ["blob:https://a.example/1", undefined],
  ["file:///etc/passwd", undefined],
  ["//a.example", undefined],
  ["/trpc", undefined],
  ["", undefined],
  [undefined, undefined],
])("%j leads to %j", (url, address) => {
  expect(webAddress(url)?.href).toBe(address);
});

test.each([
  ["data:image/png;base64,aGk=", true, true],
  ["data:image/svg+xml;base64,aGk=", false, true],
  ["data:text/html,hi", false, true],
  ["https://a.example/a.png", false, false],
  [undefined, false, false],
])("%j is a picture of its own: %j; a file that can be saved: %j", (url, picture, file) => {
  expect(isPicture(url)).toBe(picture);
  expect(isHeldFile(url)).toBe(file);
});
