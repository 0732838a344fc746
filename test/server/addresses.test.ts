import { describe, expect, test } from "vitest";
import { addressKey, networksCheck } from "../../src/server/access/addresses.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::FFFF:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0002:ffff::9", "2001:db8:1:2::/64"],
  ["2001:db8:1:3::1", "2001:db8:1:3::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["unknown", "unknown"],
  ["192.0.2.7:51234", "192.0.2.7"],
  ['"192.0.2.7:51234"', "192.0.2.7"],
  ["[2001:db8:1:2::1]", "2001:db8:1:2::/64"],
  ["[2001:db8:1:2::1]:80", "2001:db8:1:2::/64"],
  ['"[2001:db8:1:2::1]:51234"', "2001:db8:1:2::/64"],
  ["2001:db8:1:2:3:4:5:6:443", "2001:db8:1:2::/64"],
  ["[fe80::1%eth0]:80", "fe80:0:0:0::/64"],
  ["::ffff:192.0.2.7:443", "192.0.2.7"],
  ["[::ffff:192.0.2.7]:443", "192.0.2.7"],
  ["::ffff:c000:207", "192.0.2.7"],
  ["unknown:51234", "unknown"],
  ["", ""],
])("%s counts as %s", (address, key) => {
  expect(addressKey(address)).toBe(key);
});

describe("a network has an address, however that is written", () => {
  const isProxy = networksCheck([
    "10.0.0.0/8",
    "192.0.2.7",
    "2001:db8::/32",
    "::ffff:172.16.0.0/108",
  ]);

  test.each([
    "10.1.2.3",
    "10.1.2.3:443",
    "::ffff:10.1.2.3",
    "::ffff:a01:203",
    "192.0.2.7",
    "2001:db8::1",
    "[2001:db8::1]:443",
    "172.16.0.1",
  ])("%s is in it", (address) => {
    expect(isProxy(address)).toBe(true);
  });

  test.each(["11.1.2.3", "192.0.2.8:443", "2001:db9::1", "unknown", "", undefined])(
    "%s is not",
    (address) => {
      expect(isProxy(address)).toBe(false);
    },
  );
});
