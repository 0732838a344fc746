/** The keys by which addresses are rate limited. */
import { BlockList, isIPv6 } from "node:net";

const mappedPrefix = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** 64 of 128 bits: what one customer of a provider is given at the least. */
const networkHextets = 4;

/**
 * IPv4 as it is, also where it is mapped into IPv6; of IPv6 the /64 network, since a caller who has one
 * address of it has them all.
 */
export function addressKey(address: string): string {
  const ipv4 = mappedPrefix.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  const bare = address.split("%", 1)[0] ?? address;
  if (!isIPv6(bare)) return address;
  return `${hextetsOf(bare).slice(0, networkHextets).join(":")}::/64`;
}

/** All eight, without leading zeros. */
function hextetsOf(address: string): string[] {
  const { hostname } = new URL(`http://[${address}]`);
  const [head = "", tail] = hostname.slice(1, -1).split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  return [...first, ...Array<string>(8 - first.length - last.length).fill("0"), ...last];
}

/** @param networks addresses and subnets, such as `10.0.0.0/8` */
export function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/", 2);
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
