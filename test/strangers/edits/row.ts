import type { Finding, Verdict } from "../../../src/model.ts";
import type { Base, Command } from "../../support/edits.ts";

/** An edit that lets somebody in, and what the next check of the health must give. */
export interface Row {
  readonly edit: string;
  readonly run: readonly Command[];
  /** Files that the commands name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly verdict: Verdict;
  readonly exit: number;
  /** Among the findings. */
  readonly codes: readonly Finding["code"][];
  /** `claims`: a token that a test can replay, and that gets in. `named`: an outsider who needs no token of an issuer. */
  readonly witness: "none" | "named" | "claims";
  /** The name of the session with which the witness is replayed, where the policy asks for one. */
  readonly session?: string;
  /** The audience that the outsider asks an issuer of his own for: the list of its OIDC provider is not read. */
  readonly audience?: string;
  /** Why health does not give it yet. A row that it gives fails, so that nobody forgets to take the reason away. */
  readonly pending?: string;
}

/** The edits of one deployment. */
export interface Table {
  readonly title: string;
  readonly base: Base;
  readonly rows: readonly Row[];
}

/** Somebody gets in with a token. */
export const open = { verdict: "open", exit: 3, witness: "claims" } as const;
/** Somebody gets in who needs no token. */
export const openByName = { verdict: "open", exit: 3, witness: "named" } as const;
/** Nobody else gets in by it, and it is not as the file says. */
export const drifted = { verdict: "drifted", exit: 2, witness: "none" } as const;
/** Nothing of the links differs; somebody has to decide about what stands beside them. */
export const toDecide = { verdict: "works", exit: 0, witness: "none" } as const;
