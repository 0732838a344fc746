/** Addresses as connections and proxies name them: which are limited as one, and which are trusted. */
import { BlockList, isIP, isIPv6 } from "node:net";

/** 64 of 128 bits: what one customer of a provider is given at the least. */
const networkHextets = 4;

/**
 * The key by which an address is rate limited. IPv4 as it is, also where it is mapped into IPv6; of
 * IPv6 the /64 network, since a caller who has one address of it has them all.
 * @param address of a connection, or as a proxy writes it into `X-Forwarded-For`: some append the
 *   caller's port, which a caller changes with every connection
 */
export function addressKey(address: string): string {
  const bare = bareAddress(address);
  if (!isIPv6(bare)) return bare;
  return `${hextetsOf(bare).slice(0, networkHextets).join(":")}::/64`;
}

/**
 * Whether an address is one of these networks'.
 * @param networks addresses and subnets, such as `10.0.0.0/8`
 */
export function networksCheck(networks: readonly string[]): (address?: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/", 2);
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  // A connection that is closed already has no address.
  return (address = "") => {
    const bare = bareAddress(address);
    if (isIP(bare) === 0) return false;
    // In this form IPv4 is found in networks of both kinds.
    return list.check(isIPv6(bare) ? bare : `::ffff:${bare}`, "ipv6");
  };
}

/** `[2001:db8::1]`, `[2001:db8::1]:443`, `192.0.2.7:443`, `2001:db8:1:2:3:4:5:6:443`. */
const bracketed = /^\[([^\]]*)\](?::\d+)?$/;
const portAtEnd = /^(.+):\d+$/;
/** Of IPv4 that is mapped into IPv6. */
const mappedPrefix = "0:0:0:0:0:ffff";

/** Without quotes, brackets, port and zone; IPv4 that is mapped into IPv6 as IPv4. */
function bareAddress(address: string): string {
  const unquoted = address.replaceAll('"', "").trim();
  const unbracketed = bracketed.exec(unquoted)?.[1] ?? unquoted;
  const [zoneless = unbracketed] = unbracketed.split("%", 1);
  const bare = isIP(zoneless) === 0 ? (portAtEnd.exec(zoneless)?.[1] ?? zoneless) : zoneless;
  if (!isIPv6(bare)) return bare;
  const hextets = hextetsOf(bare);
  const isMapped = hextets.slice(0, 6).join(":") === mappedPrefix;
  return isMapped ? hextets.slice(6).flatMap(bytesOf).join(".") : bare;
}

function bytesOf(hextet: string): number[] {
  const value = Number.parseInt(hextet, 16);
  return [value >> 8, value & 0xff];
}

/** All eight, without leading zeros. */
function hextetsOf(address: string): string[] {
  const { hostname } = new URL(`http://[${address}]`);
  const [head = "", tail] = hostname.slice(1, -1).split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  return [...first, ...Array<string>(8 - first.length - last.length).fill("0"), ...last];
}
