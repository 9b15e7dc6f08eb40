import { isIP } from "node:net";
import { Authority, type ChainName } from "./authority.ts";
import type { Fake, FakeRequest } from "./fake.ts";
import type { Keys } from "./keys.ts";
import { hostMatches } from "./names.ts";
import { type Document, documentAt, type HostedIssuer, hostOf, keysUrl, oidc } from "./oidc.ts";
import type { State, View } from "./state.ts";

/** `PUT /_sandbox/issuers`: what is left out stays as it is; null takes a replaced document away. */
export interface HostingAsk {
  readonly issuer: string;
  readonly privateCa?: boolean | undefined;
  readonly rotate?: "key" | "certificate" | undefined;
  /** With `rotate: key`: the old key is served on. */
  readonly keep?: boolean | undefined;
  readonly discovery?: Document | null | undefined;
  readonly jwks?: Document | null | undefined;
}

/** A server of the user's own in place of a host, and CAs that count as public: in this process's memory alone. */
export interface Mapping {
  /** Port on 127.0.0.1 by host name in lower case. */
  readonly hosts: ReadonlyMap<string, number>;
  /** PEM, one certificate each. */
  readonly anchors: readonly string[];
}

/** What a `Hosting` stands on. */
interface Grounds {
  readonly state: State;
  readonly keys: Keys;
  readonly file: string | undefined;
  /** The parties' own fakes. */
  readonly fakes: readonly Fake[];
  /** Hosts of theirs that an issuer may still have. */
  readonly unplayed: readonly Fake[];
  readonly mapping: Mapping;
}

/** Which host names are played here, who vouches for them, and the issuers that have no party of their own. */
export class Hosting {
  readonly authority: Authority;
  readonly mapping: Mapping;
  /** `oidc`: every hosted issuer that no party plays. */
  readonly fake: Fake;
  private readonly grounds: Grounds;

  constructor(grounds: Grounds) {
    this.grounds = grounds;
    this.mapping = grounds.mapping;
    this.authority = new Authority(grounds.file);
    const hosts = () => this.hosts();
    const answer = (request: FakeRequest, view: View) => documentAt(request, view, grounds.keys);
    this.fake = {
      ...oidc(answer),
      get hosts() {
        return hosts();
      },
    };
  }

  /** At first mention; a party's own issuer stays with the party. */
  mention(issuer: string): void {
    const host = hostOf(issuer);
    if (!host || this.partyPlays(host) || this.grounds.state.get(`issuer/${issuer}`)) return;
    this.put({ issuer, privateCa: false });
  }

  /** Whether a server of the user's own stands in for an issuer that no party plays: that one's keys are not here. */
  mapped(issuer: string): boolean {
    const host = hostOf(issuer) ?? "";
    return this.mapping.hosts.has(host) && !this.partyPlays(host);
  }

  async change({ issuer, rotate, keep = false, ...ask }: HostingAsk): Promise<HostedIssuer & { mapped: boolean }> {
    const known = this.grounds.state.get<HostedIssuer>(`issuer/${issuer}`);
    const discovery = ask.discovery === undefined ? known?.discovery : ask.discovery;
    const jwks = ask.jwks === undefined ? known?.jwks : ask.jwks;
    const privateCa = ask.privateCa ?? known?.privateCa ?? false;
    const hosted = { issuer, privateCa, ...(discovery ? { discovery } : {}), ...(jwks ? { jwks } : {}) };
    this.put(hosted);
    const chain = this.chainOf(hostOf(issuer) ?? "");
    if (rotate === "key") this.grounds.keys.rotate(issuer, keep);
    if (rotate === "certificate" && chain) await this.authority.rotate(chain);
    return { ...hosted, mapped: this.mapped(issuer) };
  }

  /** The chain that vouches for a host; undefined for a host that is not played. */
  chainOf(host: string): ChainName | undefined {
    const clouds = { name: "clouds", permitted: this.cloudNames() };
    if (this.partyPlays(host)) return clouds;
    const by = this.issuers().find((one) => hostOf(one.issuer) === host) ?? this.issuers().find(serves(host));
    if (by) return { name: by.privateCa ? `private ${host}` : host, permitted: [host] };
    return this.grounds.unplayed.some(isAt(host)) ? clouds : undefined;
  }

  /** The roots that count as public CAs here, PEM. */
  async anchors(): Promise<readonly string[]> {
    const chains = this.hosts().flatMap((host) => this.chainOf(host) ?? []);
    const open = chains.filter(({ name }) => !name.startsWith("private "));
    const names = [{ name: "clouds", permitted: this.cloudNames() }, ...open.filter(({ name }) => name !== "clouds")];
    const roots = await Promise.all(names.map((name) => this.authority.root(name)));
    return [...roots, ...this.mapping.anchors];
  }

  private put(hosted: HostedIssuer): void {
    this.grounds.state.put(`issuer/${hosted.issuer}`, hosted);
  }

  private issuers(): readonly HostedIssuer[] {
    return this.grounds.state.list<HostedIssuer>("issuer/").map(([, one]) => one);
  }

  /** An issuer may keep its keys elsewhere: that host is played too. */
  private hosts(): readonly string[] {
    const all = this.issuers().flatMap((one) => [hostOf(one.issuer), hostOf(keysUrl(one))]);
    return [...new Set(all.filter((host) => host !== undefined))];
  }

  private partyPlays(host: string): boolean {
    return this.grounds.fakes.some(isAt(host));
  }

  /** A pattern is constrained to the domain behind its last star: `sts.*.amazonaws.com` to `amazonaws.com`. */
  private cloudNames(): readonly string[] {
    const all = [...this.grounds.fakes, ...this.grounds.unplayed];
    const patterns = all.flatMap((fake) => fake.hosts).filter((host) => isIP(host) === 0);
    return [...new Set(patterns.map((pattern) => pattern.split("*.").at(-1) ?? ""))].sort();
  }
}

const isAt = (host: string) => (fake: Fake) => fake.hosts.some((pattern) => hostMatches(pattern, host));

const serves = (host: string) => (one: HostedIssuer) => hostOf(keysUrl(one)) === host;
