import type { KeyPairKeyObjectResult } from "node:crypto";
import { freshPair } from "../../src/sandbox/keys.ts";

const made: KeyPairKeyObjectResult[] = [];

/** RSA keys for one sandbox: each another one, and the same ones for the next sandbox of this process. */
export function sharedPairs(): () => KeyPairKeyObjectResult {
  let next = 0;
  return () => {
    const pair = made[next] ?? freshPair();
    made[next++] = pair;
    return pair;
  };
}
