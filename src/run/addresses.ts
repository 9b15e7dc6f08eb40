import { type LookupAddress, lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { CloudError } from "./cloud-error.ts";

// Everything that is not the public internet: this machine, private and shared networks, link-local (where metadata
// servers live), documentation, benchmarks, multicast, and the ways to write such an address inside a public one
// (IANA special-purpose registries; reliability-and-security.md, 3b cases 53 and 55).
const ranges4 = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
  ...["224.0.0.0/4", "240.0.0.0/4"],
];
const ranges6 = [
  ...["::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32"],
  ...["2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"],
];

// A list for each family: in one list the range of mapped addresses, ::ffff:0:0/96, would match every IPv4 address.
const notPublic = { ipv4: blocked(ranges4, "ipv4"), ipv6: blocked(ranges6, "ipv6") };

function blocked(ranges: readonly string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const range of ranges) list.addSubnet(range.split("/")[0] ?? "", Number(range.split("/")[1]), family);
  return list;
}

/** Whether an address belongs to the public internet; what is no address does not. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 0) return false;
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  return !notPublic[family].check(address, family);
}

/** How names are looked up; a test gives its own. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

const system: Resolve = (host) =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, found) => (error ? reject(error) : resolve(found)));
  });

/**
 * A lookup for sockets: the address that is checked is the one that is connected to, so that a name which answers
 * differently the second time gains nothing (DNS rebinding, case 56). One address that is not public is enough to
 * refuse all of them.
 */
export function guardedLookup(resolve: Resolve = system): LookupFunction {
  return (host, options, callback) => {
    resolve(host).then(
      (found) => {
        const bad = found.find(({ address }) => !isPublic(address));
        if (bad || found.length === 0) return callback(privateAddress(host), "", 0);
        if (options.all) return callback(null, [...found]);
        callback(null, found[0]?.address ?? "", found[0]?.family ?? 4);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };
}

/** A definite no, so it is not tried again. The address itself is not told: it may be a secret of a network. */
export const privateAddress = (host: string): CloudError =>
  new CloudError({
    class: "refused",
    service: host,
    operation: "",
    code: "ISSUER-PRIVATE",
    status: 0,
    message: `${host} leads to an address that is not on the public internet`,
    known: { code: "ISSUER-PRIVATE", asks: "file" },
    fix: ["name an issuer whose discovery and keys are public"],
  });
