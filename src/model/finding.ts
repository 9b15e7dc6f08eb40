import type { Address, Place } from "./basics.ts";

export interface Evidence {
  readonly key: string;
  readonly wants: string;
  readonly says: string;
  readonly readFrom: string;
  readonly ok: boolean | "unknown";
}

export type Severity = "error" | "security" | "warning" | "hint";

/** Which exit code a finding asks for where its severity alone does not say (contract, section 2). */
export type Asks = "broken" | "denied" | "conflict" | "untold" | "usage";

export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly at: { readonly address?: Address; readonly place?: Place };
  readonly says: string;
  readonly because: readonly Evidence[];
  readonly fix: readonly string[];
  readonly asks?: Asks;
  readonly links?: readonly string[];
}
