import type { Place } from "./basics.ts";
import type { Code } from "./codes.ts";

/** What the file says about one side, checked by the shape of that party, its defaults filled in. */
export interface Side {
  readonly party: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What a link may do: a policy by name, or actions on resources; its form is the relying party's. */
export type Permission = string | Readonly<Record<string, unknown>>;

/**
 * One entry under `links`: a workload that needs access, and the cloud that gives it. How the two meet is not
 * said here; it follows from the pair of parties (house.md: write issuers and relying parties, never flows).
 */
export interface Link {
  readonly name: string;
  /** The deployment this link belongs to: part of every mark. */
  readonly deployment: string;
  readonly from: Side;
  readonly to: Side;
  /**
   * The audience that tokens for this link are asked for. By default one of its own, so that a token for one
   * link cannot be used at another (reliability-and-security.md, 4.3, T4).
   */
  readonly audience: string;
  readonly may: readonly Permission[];
  /** The deployment has a control plane: what is made for this link stays within its boundary. */
  readonly controlled?: true;
  /** What the whole file forbids in the projects that it names. */
  readonly guard?: Guard;
  /** `judge`: nothing can mint for this link, so its trust is judged and never proved (contract, section 7). */
  readonly prove: "exchange" | "judge" | "canary";
  /**
   * With `prove: canary` a link beside this one, which is proved in its place: from the checker's own account to a role
   * that trusts it alone, so that the checker can become no workload (reliability-and-security.md, 4.8, way b).
   */
  readonly canary?: Link;
  readonly place: Place;
  /** The place of a field of this link, by path such as `to.aws.role`; the nearest parent's where it is absent. */
  readonly at: (path: string) => Place;
}

/** Rules over whole projects, which links need none of. */
export interface Guard {
  readonly denyServiceAccountKeys: boolean;
  /** The one group that may make keys all the same. */
  readonly breakGlass?: string;
}

/**
 * A whole file without an error in it. It is always expanded whole, because several links may add to one
 * thing. `name` is the deployment: under another one all its things would be foreign.
 */
export interface Federation {
  readonly file: string;
  readonly name: string;
  readonly links: readonly Link[];
  /** Minutes from one scheduled check to the next. */
  readonly schedule?: number;
  /** The Google Cloud region that functions, workflows and schedule live in. */
  readonly region?: string;
  /** The environment variable that holds the URL of a webhook: the URL is a secret, so it stands in no file. */
  readonly webhook?: string;
  readonly control?: Control;
  /** Members who may speak as the file's service accounts beside its links; nobody else may, where there is a list. */
  readonly speakers?: readonly string[];
  readonly accepts?: readonly Accept[];
}

/**
 * One decision of the file to live with a finding: breadth, privilege or a known key, pinned to the value that the
 * finding shows (contract, section 9).
 */
export interface Accept {
  readonly finding: Code;
  /** Equal to the `of` of the finding, to the letter. */
  readonly of: string;
  readonly reason: string;
  /** A date, `2027-03-01`: it holds until the end of that day, UTC. */
  readonly until?: string;
  /** The link it stands on, or whose pool provider it stands on; absent at the top level of the file. */
  readonly link?: string;
  /** It stands on the pool provider, and holds for every link that shares it. */
  readonly shared?: true;
  readonly place: Place;
}

/** Service accounts, by e-mail, that the deployed functions run as: there are no others that check or provision. */
export interface Control {
  readonly checker: string;
  readonly provisioner: string;
}
