import { X509Certificate } from "node:crypto";
import type { Mapping } from "../sandbox/hosting.ts";
import { readBytes } from "./context.ts";
import { UsageError } from "./exit.ts";

/** `--host-map` and `--ca` as given. */
export interface MappingFlags {
  readonly hostMap?: readonly string[];
  readonly ca?: readonly string[];
}

/** Checked before anything listens. Throws a `UsageError`. */
export const mappingOf = ({ hostMap = [], ca = [] }: MappingFlags): Mapping => ({
  hosts: new Map(hostMap.map(hostOf)),
  anchors: ca.flatMap(certificatesOf),
});

/** Only this machine: the sandbox forwards nothing (contract, section 5). */
function hostOf(text: string): readonly [string, number] {
  const [, host = "", port] = /^([a-z0-9-]+(?:\.[a-z0-9-]+)+)=127\.0\.0\.1:(\d{1,5})$/i.exec(text) ?? [];
  const number = Number(port);
  if (!host || /^[\d.]+$/.test(host) || number < 1 || number > 65535)
    throw new UsageError(`--host-map takes HOST=127.0.0.1:PORT, not ${text}`);
  return [host.toLowerCase(), number];
}

/** One by one: a client's list of anchors holds one certificate in each entry. */
function certificatesOf(file: string): readonly string[] {
  const text = Buffer.from(readBytes(file) ?? []).toString("utf8");
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  try {
    const whole = (found ?? []).map((pem) => new X509Certificate(pem).toString());
    if (whole.length > 0) return whole;
  } catch {
    // Said below, as for a file that holds none.
  }
  throw new UsageError(`--ca takes a file with certificates in PEM, and ${file} is none`);
}
