import type { Host } from "../../../sandbox/fake.ts";
import type { IamAction, IamCall } from "./action.ts";
import {
  oidcProviderKey,
  oidcProviderOf,
  oidcProvidersOf,
  type StoredOidcProvider,
  theOidcProvider,
} from "./oidc-providers.ts";
import { page } from "./paging.ts";
import { AwsError, members, type Params, required, textsParam, timestamp } from "./query.ts";
import { within } from "./quotas.ts";
import { listed, sortedTagList, sortedTags, tagged, tagList, tagsIn, untagged } from "./tags.ts";

/** IAM's actions on OIDC providers, by the recorded rules (aws.md 6.1). Reads see `host.view`, which may be older. */
export const oidcProviderActions: Readonly<Record<string, IamAction>> = {
  CreateOpenIDConnectProvider: { write: true, run: create },
  GetOpenIDConnectProvider: {
    write: false,
    run: ({ params, account, host }) => {
      const { url, clientIds, thumbprints, created, tags } = theOidcProvider(host.view, account, arnOf(params));
      return {
        Url: url,
        ClientIDList: members([...clientIds]),
        ThumbprintList: members([...thumbprints]),
        CreateDate: timestamp(created),
        Tags: sortedTagList(tags),
      };
    },
  },
  ListOpenIDConnectProviders: {
    write: false,
    run: ({ account, host }) => ({
      OpenIDConnectProviderList: members(oidcProvidersOf(host.view, account).map(({ arn }) => ({ Arn: arn }))),
    }),
  },
  ListOpenIDConnectProviderTags: {
    write: false,
    run: (call) => {
      const { tags } = theOidcProvider(call.host.view, call.account, arnOf(call.params));
      const { items, rest } = page(call, sortedTags(tags));
      return { Tags: listed(items), ...rest };
    },
  },
  AddClientIDToOpenIDConnectProvider: {
    write: true,
    run: (call) =>
      change(call, ({ clientIds }) => ({
        clientIds: clientIdList(call, [...clientIds, required(call.params, "ClientID")]),
      })),
  },
  RemoveClientIDFromOpenIDConnectProvider: {
    write: true,
    run: (call) =>
      change(call, ({ clientIds }) => ({
        clientIds: clientIds.filter((id) => id !== required(call.params, "ClientID")),
      })),
  },
  UpdateOpenIDConnectProviderThumbprint: {
    write: true,
    run: (call) =>
      change(call, () => {
        const thumbprints = thumbprintList(call.params);
        if (thumbprints.length === 0) throw invalid("Thumbprint list must contain at least one entry.");
        return { thumbprints };
      }),
  },
  TagOpenIDConnectProvider: {
    write: true,
    run: (call) => change(call, tagged(call.params, "sensitive")),
  },
  UntagOpenIDConnectProvider: {
    write: true,
    run: (call) => change(call, untagged(call.params, "sensitive")),
  },
  DeleteOpenIDConnectProvider: {
    write: true,
    run: ({ params, account, host }) => {
      const arn = arnOf(params);
      const found = oidcProviderOf(host.state, account, arn);
      // Documented as idempotent, and observed to answer this.
      if (!found) throw new AwsError("NoSuchEntity", 404, `OpenId connect Provider ${arn} cannot be found.`);
      host.state.delete(oidcProviderKey(account, found.url));
      return undefined;
    },
  },
};

const arnOf = (params: Params): string => required(params, "OpenIDConnectProviderArn");
const invalid = (says: string): AwsError => new AwsError("InvalidInput", 400, says);

/** Duplicates go, the order stays. */
function clientIdList(call: IamCall, given: readonly string[]): readonly string[] {
  const unique = [...new Set(given)];
  const as = "ClientIdsPerOpenIdConnectProvider";
  within(call, { quota: "ClientIdsPerProviderQuota", as }, unique.length);
  return unique;
}

/** At most five, lower-cased; what is no hex and what comes twice is kept (recorded). */
function thumbprintList(params: Params): readonly string[] {
  const given = textsParam(params, "ThumbprintList");
  if (given.length > 5) throw invalid("Thumbprint list must contain fewer than 5 entries.");
  return given.map((one) => one.toLowerCase());
}

function change(
  { params, account, host }: IamCall,
  edit: (stored: StoredOidcProvider) => Partial<StoredOidcProvider>,
): undefined {
  const stored = theOidcProvider(host.state, account, arnOf(params));
  host.state.put(oidcProviderKey(account, stored.url), { ...stored, ...edit(stored) });
  return undefined;
}

/** `:443` is stripped; a query or fragment, and whatever is not https, is refused. Other ports are untested there. */
function urlOf(text: string): string {
  const url = URL.parse(text);
  if (!text.startsWith("https://") || !url || /[?#]/.test(text)) throw invalid("Unknown");
  return text.slice("https://".length).replace(/^([^/]+):443(?=\/|$)/, "$1");
}

/**
 * With a thumbprint AWS looks at nothing; without one it fetches the certificate itself, and refuses where it cannot
 * (aws.md 6.1).
 */
async function create(call: IamCall) {
  const { params, account, partition, host } = call;
  const url = urlOf(required(params, "Url"));
  const clientIds = clientIdList(call, textsParam(params, "ClientIDList"));
  const given = thumbprintList(params);
  const arn = `arn:${partition}:iam::${account}:oidc-provider/${url}`;
  if (oidcProviderOf(host.state, account, arn))
    throw new AwsError("EntityAlreadyExists", 409, `Provider with url https://${url} already exists.`);
  const as = "OpenIdConnectProvidersPerAccount";
  within(call, { quota: "ProvidersQuota", as }, oidcProvidersOf(host.state, account).length + 1);
  const thumbprints = given.length > 0 ? given : [await served(url, host)];
  const stored = { account, arn, url, clientIds, thumbprints, tags: tagsIn(params, "sensitive"), created: host.now() };
  host.state.put(oidcProviderKey(account, url), stored);
  // As they were sent, and left out where there are none; a read has them sorted (recorded, aws.md 6.1).
  const tags = Object.keys(stored.tags).length > 0 ? { Tags: tagList(stored.tags) } : {};
  return { OpenIDConnectProviderArn: arn, ...tags };
}

/** The last certificate that is served (aws.md 6.2); the text of the refusal is approximate. */
async function served(url: string, host: Host): Promise<string> {
  try {
    const { sha1s } = await host.outside.chain(url.split("/")[0] ?? "");
    return sha1s.at(-1) ?? "";
  } catch {
    throw new AwsError("OpenIdIdpCommunicationError", 400, "Could not connect to openid configuration of provider");
  }
}
