import { createHash } from "node:crypto";
import { characters, type Host } from "../../../../sandbox/fake.ts";
import type { View } from "../../../../sandbox/state.ts";
import { projectOf, type StoredPolicy } from "../store.ts";
import { codeOf } from "./regions.ts";

/** What a build made, kept under its digest: whoever deploys names it so. */
export interface StoredImage {
  /** `sha256:` and 64 hex digits */
  readonly digest: string;
  /** `REGION-docker.pkg.dev/PROJECT/REPOSITORY/PACKAGE` */
  readonly uri: string;
  /** The blob of the source, a zip. */
  readonly source: string;
  /** The function that is called; undefined where the source starts itself. */
  readonly target: string | undefined;
}

/** A Knative service, kept as `google.run/PROJECT/REGION/NAME`. */
export interface StoredService {
  readonly project: string;
  readonly region: string;
  readonly name: string;
  readonly uid: string;
  /** Epoch milliseconds. */
  readonly created: number;
  readonly generation: number;
  /** Grows with each write of any kind. */
  readonly resourceVersion: string;
  /** As it was sent. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly template: Template;
  /** The e-mails of who made it and who wrote it last. */
  readonly creator: string;
  readonly modifier: string;
  /** The name of what serves. */
  readonly revision: string;
  /** Why it does not serve, in the API's words. */
  readonly trouble?: string;
  readonly policy: StoredPolicy;
}

/** The part of a Knative template that is looked at here; the rest is kept as it came. */
export interface Template {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly serviceAccountName?: string;
    readonly timeoutSeconds?: number;
    readonly containers?: readonly {
      readonly image?: string;
      readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
    }[];
  };
}

export const keyOf = ({ project, region, name }: Pick<StoredService, "project" | "region" | "name">): string =>
  `google.run/${project}/${region}/${name}`;

export const saveService = (host: Host, service: StoredService): void => host.state.put(keyOf(service), service);

export const servicesOf = (view: View, project: string): readonly StoredService[] =>
  view.list<StoredService>(`google.run/${project}/`).map(([, service]) => service);

export const imageKey = (digest: string): string => `google.image/${digest}`;

/**
 * Both of its URLs: the one with a hash, which `status.url` shows, and the one with the project's number. The hash
 * is one for a project and a region, so that a service that is made again is found where it was.
 */
export function urlsOf(host: Host, { project, region, name }: StoredService): readonly [string, string] {
  const { number } = projectOf(host, project);
  const digest = createHash("sha256").update(`run/${number}/${region}`).digest();
  const hash = characters(digest, "abcdefghijklmnopqrstuvwxyz234567", 10);
  return [`https://${name}-${hash}-${codeOf(region)}.a.run.app`, `https://${name}-${number}.${region}.run.app`];
}
